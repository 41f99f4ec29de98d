"""What the target answers, as bytes of HTTP/1.1 or fields and content of HTTP/2. Knows no socket and no connection.

Responses repeat: they are remembered for as long as their Date field is right.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple

from loadgen.target.behaviour import GZIP, Behaviour
from loadgen.target.requests import CONNECTIONS, FIELDS, STATS, Request
from loadgen.wire.http1.head import FieldLines

_MAX_REMEMBERED = 64
_SERVED = b"X-Loadgen-Served"
_HOP = b"X-Loadgen-Hop"
_TEXT = b"text/plain"
_NOT_WANTED = b"the body is not wanted\n"
_JSON = b"application/json"


class Http2Response(NamedTuple):
    """The fields of the header section, the content, and the fields of the trailer section."""

    head: FieldLines
    body: bytes
    trailers: FieldLines


@lru_cache(16)
def body_of(size_bytes: int) -> bytes:
    """A body of this size."""
    return (b"loadgen " * (size_bytes // 8 + 1))[:size_bytes]


@lru_cache(16)
def _gzipped_body_of(size_bytes: int) -> bytes:
    return gzip.compress(body_of(size_bytes), mtime=0)


class Responses:
    """The responses of one server. stats: returns its account; connections: what it knows of single ones."""

    def __init__(
        self, behaviour: Behaviour, stats: Callable[[], dict[str, Any]], connections: Callable[[], dict[str, Any]]
    ) -> None:
        self._size_bytes = behaviour.size_bytes
        self._is_coded = behaviour.encoding == GZIP
        self._trailers = "trailers" not in behaviour.declines
        # As a balancer's backends say who they are; and how the body is coded.
        self._own_fields = f"X-Replica: {behaviour.replica}\r\n".encode() if behaviour.replica else b""
        self._http2_fields: FieldLines = ((b"x-replica", behaviour.replica.encode()),) if behaviour.replica else ()
        if self._is_coded:
            self._own_fields += b"Content-Encoding: gzip\r\n"
            self._http2_fields += ((b"content-encoding", b"gzip"),)
        self._json = {STATS: stats, CONNECTIONS: connections}
        self._http1: dict[tuple[bool, bool, bytes, int | None], bytes] = {}
        self._http2: dict[tuple[bool, int | None], Http2Response] = {}

    def forget(self) -> None:
        """The second is over: the Date field of all that is remembered is out of date."""
        self._http1.clear()
        self._http2.clear()

    def simple(self, head_only: bool, persists: bool, keep_alive: bytes, size_bytes: int | None) -> bytes:
        """One HTTP/1.1 response with a body of `size_bytes`, or of the usual size where that is None.

        persists: what its Connection field says. keep_alive: a whole Keep-Alive field, or nothing.
        """
        key = (head_only, persists, keep_alive, size_bytes)
        response = self._http1.get(key)
        if response is None:
            body = self._body(size_bytes)
            connection = _connection(persists, keep_alive) + self._own_fields
            head = _head(_TEXT, b"Content-Length: %d" % len(body), connection)
            response = head if head_only else head + body
            if len(self._http1) < _MAX_REMEMBERED:
                self._http1[key] = response
        return response

    def internal(self, request: Request, persists: bool, number: int) -> bytes:
        """The HTTP/1.1 response to a request that does not count. number: its connection's."""
        if request.resource is FIELDS:
            # A field for the next hop alone, and so named in Connection (RFC 9110 §7.6.1).
            connection = b"Connection: %s, %s\r\n%s: response\r\n" % (_option(persists), _HOP, _HOP)
            return _whole(request, _JSON, _as_json(request, number), connection)
        return _whole(request, _JSON, self._as_json(request), _connection(persists, b""))

    def http1(self, request: Request, persists: bool, keep_alive: bytes, served: int) -> bytes:
        """The HTTP/1.1 response to a request that counts. served: how many the connection has served, with this one."""
        if not (request.trailers and self._trailers):
            return self.simple(request.head_only, persists, keep_alive, request.size_bytes)
        body = self._body(request.size_bytes)
        framing = b"Transfer-Encoding: chunked\r\nTrailer: " + _SERVED
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        head = _head(_TEXT, framing, _connection(persists, keep_alive) + self._own_fields)
        return b"%s%s0\r\n%s: %d\r\n\r\n" % (head, chunk, _SERVED, served)

    def refusal(self, text: bytes, persists: bool) -> bytes:
        """A response (403) that refuses a switch of protocols."""
        return _refusal(b"403 Forbidden", text, persists)

    def expectation_failed(self) -> bytes:
        """The response (417) to a request whose body is not wanted; the connection closes after it."""
        return _refusal(b"417 Expectation Failed", _NOT_WANTED, persists=False)

    def http2_expectation_failed(self) -> Http2Response:
        """The same in HTTP/2, where the connection goes on."""
        return _http2_response(False, _TEXT, _NOT_WANTED, status=b"417")

    def http2(self, request: Request, served: int, number: int = 0) -> Http2Response:
        """The HTTP/2 response to any request. served: how many the connection has served, with this one.

        number: the connection's.
        """
        if request.resource is FIELDS:
            return _http2_response(request.head_only, _JSON, _as_json(request, number))
        if request.resource in self._json:
            return _http2_response(request.head_only, _JSON, self._as_json(request))
        key = (request.head_only, request.size_bytes)
        response = self._http2.get(key)
        if response is None:
            body = self._body(request.size_bytes)
            response = _http2_response(request.head_only, _TEXT, body, self._http2_fields)
            if len(self._http2) < _MAX_REMEMBERED:
                self._http2[key] = response
        if request.trailers and self._trailers:
            return response._replace(trailers=((_SERVED.lower(), b"%d" % served),))
        return response

    def _body(self, size_bytes: int | None) -> bytes:
        """A body that is, once decoded, of this size, or of the usual one where that is None."""
        content = _gzipped_body_of if self._is_coded else body_of
        return content(self._size_bytes if size_bytes is None else size_bytes)

    def _as_json(self, request: Request) -> bytes:
        return json.dumps(self._json[request.resource]()).encode()


def bad_request(reason: str) -> bytes:
    """The response (400) to bytes that are no request; the connection closes after it."""
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


def _refusal(status: bytes, text: bytes, persists: bool) -> bytes:
    head = _head(_TEXT, b"Content-Length: %d" % len(text), _connection(persists, b""), status)
    return head + text


def _whole(request: Request, media_type: bytes, body: bytes, connection: bytes) -> bytes:
    head = _head(media_type, b"Content-Length: %d" % len(body), connection)
    return head if request.head_only else head + body


def _http2_response(
    head_only: bool, media_type: bytes, body: bytes, more: FieldLines = (), status: bytes = b"200"
) -> Http2Response:
    head = (
        (b":status", status),
        (b"server", b"loadgen"),
        (b"date", formatdate(usegmt=True).encode()),
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        *more,
    )
    return Http2Response(head, b"" if head_only else body, ())


def _as_json(request: Request, number: int) -> bytes:
    """The request itself: its version, target and fields as they arrived, and its connection's number."""
    fields = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.fields]
    target = request.target.decode("latin-1")
    return json.dumps({"version": request.version, "target": target, "fields": fields, "connection": number}).encode()
