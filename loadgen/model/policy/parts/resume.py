"""`resume`: TLS sessions are resumed."""

from __future__ import annotations

from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts.requests import ONCE


def _objects(conditions: RunConditions) -> str | None:
    if not (conditions.is_tls or conditions.is_proxy_tls):
        return (
            "resumes TLS sessions, and a target in clear has none; use an https URL (or --tls with the embedded target)"
        )
    return None


RESUMED_TLS = Trait("resumed TLS sessions", lambda policy: policy.resumes_tls, objects=_objects)
PARTS = {
    "resume": Part(
        "TLS sessions are resumed; used alone, a new connection each request",
        {"resumes_tls": True}, ONCE, trait=RESUMED_TLS,
        synonyms=("resumption", "tlsresume", "sessionresumption", "tickets"),
    )
}  # fmt: skip
