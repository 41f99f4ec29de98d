"""Requests as the target sees them, from HTTP/1.x heads or HTTP/2 fields. Answers nothing; knows no socket.

Requests repeat: what follows from one is remembered by its bytes, as heads are.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from loadgen.model.target import CONNECTIONS_PATH, FIELDS_PATH
from loadgen.target.behaviour import STATS_PATH
from loadgen.wire.http1.head import FieldLines, RequestHead
from loadgen.wire.http1.request_reader import RequestReader

_END_OF_HEAD = b"\r\n\r\n"
_MAX_BODY_BYTES = 64 << 20
_MAX_REMEMBERED = 512
_ABSOLUTE_FORM = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


class Resource(IntEnum):
    """What a request is for."""

    BODY = 0
    STATS = 1
    FIELDS = 2
    CONNECTIONS = 3


BODY, STATS, FIELDS, CONNECTIONS = Resource
_RESOURCES = {
    STATS_PATH.encode("ascii"): STATS,
    FIELDS_PATH.encode("ascii"): FIELDS,
    CONNECTIONS_PATH.encode("ascii"): CONNECTIONS,
}


class Request(NamedTuple):
    """One request."""

    method: bytes
    head_only: bool
    version: str
    """`1.0`, `1.1` or `2`."""
    target: bytes
    """As it was received."""
    resource: Resource
    size_bytes: int | None
    """The body's size that its query asks for, None where it asks for none."""
    persists: bool
    """The connection may be used again."""
    trailers: bool
    """Its sender wants a trailer section (RFC 9110 §10.1.4)."""
    upgrade: tuple[bytes, ...]
    """The protocols that it offers to switch to (RFC 9110 §7.8), lower case; empty where it offers none."""
    fields: FieldLines
    """In their order, without HTTP/2's pseudo-fields."""
    simple: bool
    """It is for a body and nothing else: no switch, no trailer section."""
    expects_continue: bool = False

    @property
    def keeps(self) -> bool:
        """It asks that its connection be spared by the idle timeout (model/target.py)."""
        return self.resource is FIELDS and self.target.endswith(b"?keep")

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (lower case), in their order."""
        return [value for one, value in self.fields if one.lower() == name]


class HeadReader(RequestReader):
    """Reads HTTP/1.x requests from a stream; `take` returns them with their fields."""

    __slots__ = ("_kept", "_last", "_last_raw")

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(max_body_bytes)
        self._kept = self._last_raw = b""
        self._last: Request | None = None

    def take(self) -> Request | None:
        """The next complete request, or None while bytes are missing. Raises Malformed."""
        data = self._buffer
        if self._pending is None:
            if data == self._last_raw:
                # Nothing, or the bytes of the request before again: it had no body, and nothing followed it.
                self._buffer = b""
                return self._last if data else None
            self._kept = data
        head = self.next_request()
        if head is None:
            return None
        begin = self._kept.lstrip(b"\r\n")
        raw = begin[: begin.find(_END_OF_HEAD) + 4]
        request = _request(head, raw)
        if raw == data and head.framing == 0:
            self._last_raw, self._last = raw, request
        self._kept = b""
        return request

    def rest(self) -> bytes:
        """The bytes that followed the last request; the reader keeps none of them."""
        data, self._buffer = self._buffer, b""
        return data


def options(fields: FieldLines, name: bytes) -> list[bytes]:
    """The elements of a list field, from all its lines, lower case (RFC 9110 §5.6.1)."""
    parts = [part for one, value in fields if one.lower() == name for part in value.lower().split(b",")]
    return [option for part in parts if (option := part.strip(b" \t"))]


@lru_cache(_MAX_REMEMBERED)
def _request(head: RequestHead, raw: bytes) -> Request:
    """The request that `raw` is, already parsed as `head`."""
    fields = _fields(raw)
    named = options(fields, b"connection")
    # An HTTP/1.0 request can't switch, nor ask for a trailer section (RFC 9110 §7.8, RFC 9112 §7.1.2).
    modern = head.version == "1.1"
    upgrade = tuple(options(fields, b"upgrade")) if modern and b"upgrade" in named else ()
    trailers = modern and b"te" in named and b"trailers" in options(fields, b"te") and head.method != b"HEAD"
    resource = _RESOURCES.get(_path(head.path), BODY)
    return Request(
        head.method,
        head.method == b"HEAD",
        head.version,
        head.path,
        resource,
        _size_asked(head.path),
        head.persists,
        trailers,
        upgrade,
        fields,
        resource is BODY and not upgrade and not trailers,
    )


def request_of_fields(received: FieldLines) -> Request:
    """The request in an HTTP/2 header section, its pseudo-header fields first (RFC 9113 §8.3)."""
    pseudo = {name: value for name, value in received if name.startswith(b":")}
    fields = tuple((name, value) for name, value in received if not name.startswith(b":"))
    method = pseudo.get(b":method", b"")
    head_only = method == b"HEAD"
    path = pseudo.get(b":path", b"")
    resource = _RESOURCES.get(path.partition(b"?")[0], BODY)
    trailers = b"trailers" in options(fields, b"te") and not head_only
    simple = resource is BODY and not trailers
    expects = b"100-continue" in options(fields, b"expect")
    return Request(
        method, head_only, "2", path, resource, _size_asked(path), True, trailers, (), fields, simple, expects
    )


def _fields(raw: bytes) -> FieldLines:
    """The fields of a head that is known to be well-formed and to have no folded lines: llhttp has parsed it."""
    found = (line.partition(b":") for line in raw.splitlines()[1:] if line)
    return tuple((name, value.strip(b" \t")) for name, _, value in found)


def _path(target: bytes) -> bytes:
    """The path in a request-target in origin-form or absolute-form (RFC 9112 §3.2)."""
    return _ABSOLUTE_FORM.sub(b"", target, count=1).partition(b"?")[0]


def _size_asked(target: bytes) -> int | None:
    """The size that a request's query asks for, as in `/?size=1000`; None where it asks for none."""
    _, _, query = target.partition(b"?")
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"size" and value.isdigit():
            return min(int(value[:12]), _MAX_BODY_BYTES)
    return None
