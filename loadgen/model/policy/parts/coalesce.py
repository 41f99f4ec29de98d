"""`coalesce`: one HTTP/2 connection for all users of a process, as browsers and gRPC channels have it."""

from __future__ import annotations

from loadgen.model.policy.part import Part, Trait
from loadgen.model.policy.parts.gap import GAP
from loadgen.model.policy.parts.pipeline import NEVER_IDLE
from loadgen.model.policy.protocols import HTTP2

# More than any server permits: its SETTINGS_MAX_CONCURRENT_STREAMS says how many streams there are (RFC 9113 §5.1.2).
_DEPTH = 100_000

PARTS = {
    "coalesce": Part(
        "with HTTP/2: one connection for all users, with as many streams as the server permits",
        {"pool": 1, "coalesces": True}, {"depth": _DEPTH}, example="h2+coalesce", protocols=HTTP2,
        trait=Trait("coalescing", lambda policy: policy.coalesces, {GAP.name: NEVER_IDLE}),
        synonyms=("coalescing", "coalesced", "singleconnection", "oneconnection"),
    )
}  # fmt: skip
