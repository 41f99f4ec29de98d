"""`early-data`: a connection's first request goes with its handshake (0-RTT, RFC 8446 §2.3, RFC 8470)."""

from __future__ import annotations

from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts.pipeline import PIPELINING
from loadgen.model.policy.parts.requests import ONCE
from loadgen.model.policy.protocols import HTTP1


def _objects(conditions: RunConditions) -> str | None:
    if not conditions.is_tls:
        to_proxy = ", and to a proxy none is sent" if conditions.is_proxy_tls else ""
        return f"sends early data of TLS, and the target is in clear{to_proxy}; use an https URL"
    method = conditions.method
    if not conditions.is_idempotent:
        return f"sends early data, which others can replay, and {method} is not idempotent (RFC 8470 §4)"
    return None


EARLY_DATA = Trait(
    "early data",
    lambda policy: policy.early_data,
    excludes={PIPELINING.name: "which requests of a pipeline went early would not be known"},
    objects=_objects,
)
PARTS = {
    "early-data": Part(
        "TLS sessions are resumed, and a connection's first request goes with the handshake; used alone, a new "
        "connection each request",
        {"resumes_tls": True, "early_data": True}, ONCE, protocols=(HTTP1,), trait=EARLY_DATA,
        synonyms=("0rtt", "zerortt", "tls0rtt", "early"),
    )
}  # fmt: skip
