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
    "persistent": Part(
        "one connection per user, kept open", {"requests": UNLIMITED},
        synonyms=("keepalive", "reuse", "reused", "keepopen", "permanent", "longlived", "http11"),
    ),
    "close": Part(
        "a new connection for each request, full TLS handshake", ONCE, trait=SINGLE_USE,
        synonyms=(
            "nonpersistent", "notpersistent", "noreuse", "nokeepalive", "nonkeepalive", "connectionclose", "shortlived",
            "singleuse", "once", "new", "fresh", "perrequest",
        ),
    ),
    "close-resume": Part(
        "a new connection for each request, TLS session resumed", {**ONCE, "resumes_tls": True}, trait=SINGLE_USE,
        synonyms=("closeresumed", "closeresumption"),
    ),
    "recycle": Part(
        "K requests per connection, the last one announces close",
        parameter="K|inf", example="recycle:3", parse=_parse,
        trait=SINGLE_USE, synonyms=("maxrequests", "requests", "every"),
    ),
}  # fmt: skip
