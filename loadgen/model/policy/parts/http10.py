"""`http10`, `http10-keepalive`: requests in HTTP/1.0."""

from __future__ import annotations

from loadgen.model.policy.part import Part, Trait
from loadgen.model.policy.parts.requests import ONCE
from loadgen.model.policy.protocols import HTTP1

HTTP10 = Trait("HTTP/1.0", lambda policy: policy.http_version == "1.0")
PARTS = {
    "http10": Part(
        "HTTP/1.0: a new connection for each request, no Connection field",
        {**ONCE, "http_version": "1.0", "keep_alive": False}, protocols=(HTTP1,), trait=HTTP10,
        synonyms=("http1",),
    ),
    "http10-keepalive": Part(
        "HTTP/1.0 with `Connection: keep-alive`", {"http_version": "1.0"}, protocols=(HTTP1,), trait=HTTP10
    ),
}  # fmt: skip
