"""Field sections of HTTP/2 responses: checked, and made heads (RFC 9113 §8). Pure; knows no frame and no connection."""

from __future__ import annotations

from functools import lru_cache

from loadgen.wire.http1.head import Malformed, ResponseHead

CONNECTION_FIELDS = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
"""Fields of one connection in HTTP/1.1, which HTTP/2 does not have (RFC 9113 §8.2.2)."""


@lru_cache(512)
def stream_head(fields: tuple[tuple[bytes, bytes], ...]) -> ResponseHead:
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


def check_trailers(fields: tuple[tuple[bytes, bytes], ...]) -> None:
    """Fields that are not pseudo-fields, a trailer section for one. Raises Malformed."""
    for name, value in fields:
        shown = name[:40].decode("latin-1")
        if not name or name != name.lower() or name.startswith(b":") or name in CONNECTION_FIELDS:
            raise Malformed(f"the field {shown!r} can't be in HTTP/2 (RFC 9113 §8.2)")
        if value != value.strip(b" \t") or any(octet in value for octet in (b"\0", b"\r", b"\n")):
            raise Malformed(f"the value of the field {shown!r} can't be in HTTP/2 (RFC 9113 §8.2.1)")


def check_content(head: ResponseHead) -> None:
    """The response, not one to HEAD, ended without any content. Raises Malformed where it had said something else."""
    said = next((value for name, value in head.headers if name == b"content-length"), b"0")
    if head.status != 304 and said.strip(b"0"):
        raise Malformed(f"content-length is {said[:20].decode('latin-1')}, but no content came (RFC 9113 §8.1.1)")
