"""What the target answers, as octets of HTTP/1.1 or fields and content of HTTP/2. Knows no socket and no connection.

Answers repeat too: they are remembered for as long as their Date field holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple

from loadgen.target.behaviour import Behaviour
from loadgen.target.requests import FIELDS, STATS, Fields, Request

_MOST_REMEMBERED = 64
_SERVED = b"X-Loadgen-Served"
_HOP = b"X-Loadgen-Hop"
_TEXT = b"text/plain"
_JSON = b"application/json"


class Content(NamedTuple):
    """An HTTP/2 answer: the fields of its header section, its content and the fields of its trailer section."""

    head: Fields
    body: bytes
    trailers: Fields


@lru_cache(16)
def body_of(size_bytes: int) -> bytes:
    """A body of this size."""
    return (b"loadgen " * (size_bytes // 8 + 1))[:size_bytes]


class Answers:
    """The answers of one server. stats: gives its account."""

    def __init__(self, behaviour: Behaviour, stats: Callable[[], dict[str, Any]]) -> None:
        self._size_bytes = behaviour.size_bytes
        self._trailers = "trailers" not in behaviour.declines
        self._stats = stats
        self._octets: dict[tuple[bool, bool, bytes, int | None], bytes] = {}
        self._contents: dict[tuple[bool, int | None], Content] = {}

    def forget(self) -> None:
        """The second is over, and with it the Date field of all that is remembered."""
        self._octets.clear()
        self._contents.clear()

    def simple(self, head_only: bool, persists: bool, keep_alive: bytes, size_bytes: int | None) -> bytes:
        """The octets of one response with a body of `size_bytes`, or of the usual size where that is None.

        persists: what its Connection field says. keep_alive: a whole Keep-Alive field, or nothing.
        """
        key = (head_only, persists, keep_alive, size_bytes)
        response = self._octets.get(key)
        if response is None:
            body = body_of(self._size_bytes if size_bytes is None else size_bytes)
            head = _head(_TEXT, b"Content-Length: %d" % len(body), _connection(persists, keep_alive))
            response = head if head_only else head + body
            if len(self._octets) < _MOST_REMEMBERED:
                self._octets[key] = response
        return response

    def response(self, request: Request, persists: bool, keep_alive: bytes, served: int) -> bytes:
        """The octets of the response to any request, the `served`-th on its connection."""
        if request.asks is STATS:
            return _whole(request, _JSON, self._account(), _connection(persists, b""))
        if request.asks is FIELDS:
            # A field that only the next hop is to see, and so named in Connection (RFC 9110 §7.6.1).
            connection = b"Connection: %s, %s\r\n%s: response\r\n" % (_option(persists), _HOP, _HOP)
            return _whole(request, _JSON, _arrived(request), connection)
        if not (request.trailers and self._trailers):
            return self.simple(request.head_only, persists, keep_alive, request.size_bytes)
        body = body_of(self._size_bytes if request.size_bytes is None else request.size_bytes)
        framing = b"Transfer-Encoding: chunked\r\nTrailer: " + _SERVED
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        head = _head(_TEXT, framing, _connection(persists, keep_alive))
        return b"%s%s0\r\n%s: %d\r\n\r\n" % (head, chunk, _SERVED, served)

    def refusal(self, text: bytes, persists: bool) -> bytes:
        """The octets of a response that says no (403) to a switch of protocols."""
        head = _head(_TEXT, b"Content-Length: %d" % len(text), _connection(persists, b""), b"403 Forbidden")
        return head + text

    def content(self, request: Request, served: int) -> Content:
        """The HTTP/2 response to a request, the `served`-th on its connection."""
        if request.asks is STATS:
            return _content(request, _JSON, self._account())
        if request.asks is FIELDS:
            return _content(request, _JSON, _arrived(request))
        key = (request.head_only, request.size_bytes)
        content = self._contents.get(key)
        if content is None:
            body = body_of(self._size_bytes if request.size_bytes is None else request.size_bytes)
            content = _content(request, _TEXT, body)
            if len(self._contents) < _MOST_REMEMBERED:
                self._contents[key] = content
        if request.trailers and self._trailers:
            return content._replace(trailers=((_SERVED.lower(), b"%d" % served),))
        return content

    def _account(self) -> bytes:
        return json.dumps(self._stats()).encode()


def malformed(reason: str) -> bytes:
    """The octets of the response to what is no request; the connection closes behind it."""
    body = reason.encode()
    return b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def _option(persists: bool) -> bytes:
    return b"keep-alive" if persists else b"close"


def _connection(persists: bool, keep_alive: bytes) -> bytes:
    return b"Connection: %s\r\n%s" % (_option(persists), keep_alive if persists else b"")


def _head(media_type: bytes, framing: bytes, connection: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nServer: loadgen\r\nDate: %s\r\nContent-Type: %s\r\n%s\r\n%s\r\n" % (
        status,
        formatdate(usegmt=True).encode(),
        media_type,
        framing,
        connection,
    )


def _whole(request: Request, media_type: bytes, body: bytes, connection: bytes) -> bytes:
    head = _head(media_type, b"Content-Length: %d" % len(body), connection)
    return head if request.head_only else head + body


def _content(request: Request, media_type: bytes, body: bytes) -> Content:
    head = (
        (b":status", b"200"),
        (b"server", b"loadgen"),
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
    )
    return Content(head, b"" if request.head_only else body, ())


def _arrived(request: Request) -> bytes:
    """The request itself, as JSON."""
    fields = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.fields]
    return json.dumps(
        {"version": request.version, "target": request.target.decode("latin-1"), "fields": fields}
    ).encode()
