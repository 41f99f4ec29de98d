"""`h2c-upgrade`, `h2`, `h2-prior`: HTTP/2 (RFC 9113), and `streams:S`: several requests in flight with it."""

from __future__ import annotations

from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts.gap import GAP
from loadgen.model.policy.parts.pipeline import NEVER_IDLE, NO_SECOND, parse_depth
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.protocols import H2, H2_PRIOR, H2C_UPGRADE, HTTP2

STREAMS = Trait(
    "several streams",
    lambda policy: policy.depth > 1 and not policy.pipelines,
    excludes={SINGLE_USE.name: NO_SECOND, GAP.name: NEVER_IDLE},
)


def _objects_in_clear(conditions: RunConditions) -> str | None:
    if conditions.is_tls:
        return "is HTTP/2 in clear, and the target speaks TLS; use h2, which does it there"
    return None


IN_CLEAR = Trait(
    "HTTP/2 in clear", lambda policy: policy.protocol in (H2C_UPGRADE, H2_PRIOR), objects=_objects_in_clear
)
PARTS = {
    "h2c-upgrade": Part(
        "HTTP/2 by `Connection: Upgrade` in clear; HTTP/1.1 where that is declined", {"protocol": H2C_UPGRADE},
        trait=IN_CLEAR,
    ),
    "h2": Part(
        "HTTP/2 by ALPN over TLS, HTTP/1.1 where that is declined; with prior knowledge in clear", {"protocol": H2},
        synonyms=("http2", "http20"),
    ),
    "h2-prior": Part(
        "HTTP/2 with prior knowledge, in clear", {"protocol": H2_PRIOR}, trait=IN_CLEAR, synonyms=("h2c",)
    ),
    "streams": Part(
        "with HTTP/2: S streams in flight on a connection; waiting for a free one is `queue`",
        parameter="S", example="h2+streams:3", parse=parse_depth, protocols=HTTP2, trait=STREAMS,
        synonyms=("multiplex", "multiplexed", "multiplexing", "concurrentstreams"),
    ),
}  # fmt: skip
