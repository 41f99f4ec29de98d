"""A response's header fields as a mapping."""

from __future__ import annotations

from loadgen.swarm.response_headers import Headers
from loadgen.wire.http1.head import ResponseHead


def test_headers_of_one_name_are_joined_and_kept() -> None:
    lines = ((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"Server", b"x"))
    headers = Headers(ResponseHead(200, "1.1", 0, True, frozenset(), None, None, lines))
    assert (headers["SET-COOKIE"], headers.get_all("set-cookie")) == ("a=1, b=2", ["a=1", "b=2"])
    assert (list(headers), len(headers), "server" in headers, 3 in headers) == (
        ["Set-Cookie", "Server"],
        2,
        True,
        False,
    )
    assert headers.get_all("none") == []
    assert dict(Headers(None)) == {}
