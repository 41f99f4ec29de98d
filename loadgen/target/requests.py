"""Requests as the target answers them, out of HTTP/1.x heads or HTTP/2 fields. Answers nothing; knows no socket.

Requests repeat: what there is to know of one is remembered by its octets, as heads are.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from loadgen.target.behaviour import FIELDS_PATH, STATS_PATH
from loadgen.wire.http1.head import RequestHead
from loadgen.wire.http1.messages import RequestReader

Fields = tuple[tuple[bytes, bytes], ...]

_END_OF_HEAD = b"\r\n\r\n"
_LARGEST_BODY_BYTES = 64 << 20
_MOST_REMEMBERED = 512
_ABSOLUTE_FORM = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


class Asks(IntEnum):
    """What a request asks for."""

    BODY = 0
    STATS = 1
    FIELDS = 2


BODY, STATS, FIELDS = Asks
_ASKS = {STATS_PATH.encode("ascii"): STATS, FIELDS_PATH.encode("ascii"): FIELDS}


class Request(NamedTuple):
    """One request.

    version: `1.0`, `1.1` or `2`. target: as it was received. fields: in their order, without HTTP/2's pseudo-headers.
    size_bytes: the body's size that its query asks for, None where it asks for none. persists: the connection may be
    used again. trailers: its sender wants a trailer section (RFC 9110 §10.1.4). upgrade: the protocols that it offers
    to switch to (RFC 9110 §7.8), lower case; empty where it does not.
    simple: nothing but a body is wanted, no switch, no trailer section.
    """

    method: bytes
    head_only: bool
    version: str
    target: bytes
    asks: Asks
    size_bytes: int | None
    persists: bool
    trailers: bool
    upgrade: tuple[bytes, ...]
    fields: Fields
    simple: bool
    expects_continue: bool = False

    def values(self, name: bytes) -> list[bytes]:
        """The values of all fields of this name (lower case), in their order."""
        return [value for one, value in self.fields if one.lower() == name]


class HeadReader(RequestReader):
    """Reads HTTP/1.x requests from a stream; `take` gives them with their fields."""

    __slots__ = ("_kept", "_last", "_last_octets")

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__(max_body_bytes)
        self._kept = self._last_octets = b""
        self._last: Request | None = None

    def take(self) -> Request | None:
        """The next complete request, or None while bytes are missing. Raises Malformed."""
        data = self._buffer
        if self._pending is None:
            if data == self._last_octets:
                # Nothing, or just the octets of the request before, which had no body and nothing behind it.
                self._buffer = b""
                return self._last if data else None
            self._kept = data
        head = self.next_request()
        if head is None:
            return None
        begin = self._kept.lstrip(b"\r\n")
        octets = begin[: begin.find(_END_OF_HEAD) + 4]
        request = _request(head, octets)
        if octets == data and head.framing == 0:
            self._last_octets, self._last = octets, request
        self._kept = b""
        return request

    def rest(self) -> bytes:
        """The octets that followed the last request; they are no longer the reader's."""
        data, self._buffer = self._buffer, b""
        return data


def options(fields: Fields, name: bytes) -> list[bytes]:
    """The elements of a list field, from all its lines, lower case (RFC 9110 §5.6.1)."""
    parts = [part for one, value in fields if one.lower() == name for part in value.lower().split(b",")]
    return [option for part in parts if (option := part.strip(b" \t"))]


@lru_cache(_MOST_REMEMBERED)
def _request(head: RequestHead, octets: bytes) -> Request:
    """The request that `octets`, already parsed as `head`, are."""
    fields = _fields(octets)
    named = options(fields, b"connection")
    # An HTTP/1.0 request can't switch, nor ask for a trailer section (RFC 9110 §7.8, RFC 9112 §7.1.2).
    modern = head.version == "1.1"
    upgrade = tuple(options(fields, b"upgrade")) if modern and b"upgrade" in named else ()
    trailers = modern and b"te" in named and b"trailers" in options(fields, b"te") and head.method != b"HEAD"
    asks = _ASKS.get(_path(head.path), BODY)
    return Request(
        head.method,
        head.method == b"HEAD",
        head.version,
        head.path,
        asks,
        _size_asked(head.path),
        head.persists,
        trailers,
        upgrade,
        fields,
        asks is BODY and not upgrade and not trailers,
    )


def request_of_fields(received: Fields) -> Request:
    """The request that an HTTP/2 header section is, its pseudo-header fields first (RFC 9113 §8.3)."""
    pseudo = {name: value for name, value in received if name.startswith(b":")}
    fields = tuple((name, value) for name, value in received if not name.startswith(b":"))
    method = pseudo.get(b":method", b"")
    head_only = method == b"HEAD"
    path = pseudo.get(b":path", b"")
    asks = _ASKS.get(path.partition(b"?")[0], BODY)
    trailers = b"trailers" in options(fields, b"te") and not head_only
    simple = asks is BODY and not trailers
    expects = b"100-continue" in options(fields, b"expect")
    return Request(method, head_only, "2", path, asks, _size_asked(path), True, trailers, (), fields, simple, expects)


def _fields(octets: bytes) -> Fields:
    """The fields of a head that is known to be well-formed and to have no folded lines: llhttp has parsed it."""
    found = (line.partition(b":") for line in octets.splitlines()[1:] if line)
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
            return min(int(value[:12]), _LARGEST_BODY_BYTES)
    return None
