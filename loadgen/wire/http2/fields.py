"""Field sections of HTTP/2 responses: checked, and made heads (RFC 9113 §8). Pure; knows no frame and no connection."""

from __future__ import annotations

import re
from functools import lru_cache

from loadgen.wire.http1.head import FieldLines, Malformed, ResponseHead

_NAME = re.compile(rb"[!-9;-@\[-~]+")  # RFC 9113 §8.2.1: no capitals, no colon, nothing but visible ASCII
HTTP1_CONNECTION_FIELDS = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
"""HTTP/1.1's fields about one connection, which HTTP/2 forbids (RFC 9113 §8.2.2)."""


@lru_cache(512)
def stream_head(fields: FieldLines) -> ResponseHead:
    """A response's field section as a head (RFC 9113 §8.2, §8.3.2). Raises Malformed."""
    statuses = [value for name, value in fields if name == b":status"]
    if len(statuses) != 1 or not (len(statuses[0]) == 3 and statuses[0].isdigit() and statuses[0] >= b"100"):
        raise Malformed(f"the response's :status is {b', '.join(statuses)[:40].decode('latin-1')!r}")
    regular = [(name, value) for name, value in fields if not name.startswith(b":")]
    if len(regular) != len(fields) - 1 or fields[0][0] != b":status":
        raise Malformed("a pseudo-field that no response has, or one behind other fields")
    check_trailers(tuple(regular))
    sets_cookies = any(name == b"set-cookie" for name, _ in regular)
    return ResponseHead(int(statuses[0]), "2", 0, True, frozenset(), None, None, tuple(regular), sets_cookies)


def check_trailers(fields: FieldLines) -> None:
    """Check fields other than pseudo-fields, such as a trailer section. Raises Malformed."""
    for name, value in fields:
        shown = name[:40].decode("latin-1")
        if not _NAME.fullmatch(name) or name in HTTP1_CONNECTION_FIELDS:
            raise Malformed(f"the field {shown!r} can't be in HTTP/2 (RFC 9113 §8.2)")
        if value != value.strip(b" \t") or any(byte in value for byte in (b"\0", b"\r", b"\n")):
            raise Malformed(f"the value of the field {shown!r} can't be in HTTP/2 (RFC 9113 §8.2.1)")


def check_content(head: ResponseHead) -> None:
    """Check a response, but to HEAD, that ended without content. Raises Malformed where its length says otherwise."""
    length = next((value for name, value in head.headers if name == b"content-length"), b"0")
    if head.status != 304 and length.strip(b"0"):
        raise Malformed(f"content-length is {length[:20].decode('latin-1')}, but no content came (RFC 9113 §8.1.1)")
