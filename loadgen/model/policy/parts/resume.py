"""`resume`: TLS sessions are resumed."""

from __future__ import annotations

from loadgen.model.policy.part import Part
from loadgen.model.policy.parts.requests import ONCE, SINGLE_USE

PARTS = {
    "resume": Part(
        "TLS sessions are resumed; a new connection each request by itself",
        {"resumes_tls": True}, ONCE, trait=SINGLE_USE,
    )
}  # fmt: skip
