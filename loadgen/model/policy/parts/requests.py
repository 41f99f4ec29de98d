"""How many requests a connection serves: `persistent`, `close`, `close-resume`, `recycle:K`."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, whole_number
from loadgen.model.policy.policy import UNLIMITED

ONCE = {"requests": 1}
SINGLE_USE = Trait("one request per connection", lambda policy: not policy.reuses)


def _parse(text: str) -> dict[str, Any]:
    return {"requests": UNLIMITED if text == "inf" else whole_number(text, UNLIMITED - 1)}


PARTS = {
    "persistent": Part("one connection per user, kept open", {"requests": UNLIMITED}),
    "close": Part("a new connection for each request, full TLS handshake", ONCE, trait=SINGLE_USE),
    "close-resume": Part(
        "a new connection for each request, TLS session resumed", {**ONCE, "resumes_tls": True}, trait=SINGLE_USE
    ),
    "recycle": Part(
        "K requests per connection, the last one announces close", parameter="K|inf", parse=_parse, trait=SINGLE_USE
    ),
}
