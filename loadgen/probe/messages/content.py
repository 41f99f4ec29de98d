"""Requests with content that change nothing: OPTIONS, whose content has a meaning nobody acts on, and GET.

Both methods are safe (RFC 9110 §9.2.1), and OPTIONS may have content (§9.3.7). POST would show the same, and could
make a server do something. Knows no probe.
"""

from __future__ import annotations

METHODS = ("OPTIONS", "GET")
"""In the order in which they are tried."""
TYPE_FIELD = ("Content-Type", "text/plain")
_LINE = b"loadgen probe\r\n\r\n"


def content(size_bytes: int) -> bytes:
    """Content of that size. No server understands a line of it: taken for a request it is refused at once."""
    return (_LINE * (size_bytes // len(_LINE) + 1))[: size_bytes - 2] + b"\r\n"
