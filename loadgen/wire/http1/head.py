"""HTTP/1.x heads: bytes in, a value out (RFC 9110, RFC 9112). Pure; knows no socket, no clock, no connection.

Heads repeat, so both parsers remember results by the head's bytes: each distinct head is parsed once. A response's head
that the strict parser refuses is read once more, as leniently as a user agent may; a request's is not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import httptools

from loadgen.model.leniency import CLOSES, Leniency
from loadgen.wire.http1.lenient_lines import not_http, read_head
from loadgen.wire.http1.malformed import BodyTooLarge, HeadTooLarge, Malformed, NotHttp

__all__ = [
    "CHUNKED", "MAX_HEAD_BYTES", "UNTIL_CLOSE", "BodyTooLarge", "FieldLines", "HeadTooLarge", "Malformed", "NotHttp",
    "RequestHead", "ResponseHead", "parse_request_head", "parse_response_head", "to_the_letter", "without_body",
]  # fmt: skip

MAX_HEAD_BYTES = 64 * 1024
# Enough for every head of a normal server, little enough (64 KiB heads, at worst) to stay bounded.
_REMEMBERED_HEADS = 512
# Of 64 bits.
_MAX_LENGTH_DIGITS = 20
_MAX_SHOWN_BYTES = 40

UNTIL_CLOSE = -1
CHUNKED = -2


FieldLines = tuple[tuple[bytes, bytes], ...]
"""Header or trailer fields: names and values, in their order."""


class ResponseHead(NamedTuple):
    """A response's head."""

    status: int
    version: str
    framing: int
    """The body's length in bytes, or UNTIL_CLOSE or CHUNKED (RFC 9112 §6.3), for a method that allows a body."""
    persists: bool
    """The server lets the connection be reused (RFC 9112 §9.3)."""
    options: frozenset[bytes]
    """The Connection field's options, lower case, from all its lines (RFC 9110 §7.6.1)."""
    keep_alive_timeout_s: int | None
    """A parameter of the Keep-Alive field, None where it is absent; so is the next."""
    keep_alive_max: int | None
    headers: FieldLines
    sets_cookies: bool = False
    """It has Set-Cookie fields."""
    notes: int = 0
    """The bits of each Leniency that it needed."""

    @property
    def is_distrusted(self) -> bool:
        """The client closes the connection behind it for its framing alone: the server announced no close."""
        return bool(self.notes & CLOSES) and b"close" not in self.options


class RequestHead(NamedTuple):
    """A request's head; the fields mean what they mean in ResponseHead."""

    method: bytes
    path: bytes
    version: str
    framing: int
    persists: bool
    expects_continue: bool


class _HeadCallbacks:
    """Collects what httptools reports of one head."""

    __slots__ = ("headers", "url", "whole")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.url = b""
        self.whole = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.whole = True


_RELEVANT = {
    name: name.lower()
    for word in (b"connection", b"keep-alive", b"content-length", b"transfer-encoding", b"expect")
    for name in (word, word.title(), word.upper())
}
_RELEVANT_LENGTHS = {len(name) for name in _RELEVANT}


# What llhttp lets pass in a status line: control characters.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n")


@lru_cache(_REMEMBERED_HEADS)
def parse_response_head(raw: bytes) -> ResponseHead:
    """Parse one whole response head, its empty line included. Raises Malformed."""
    status, version, headers, notes = _parse_strictly(raw) or read_head(raw)
    options, length, coding, keep_alive, _ = _relevant(headers)
    if coding is not None and length is not None:
        notes |= _choose(length, coding)
        if notes & Leniency.IDENTITY_CODING:
            coding = None
    if length is not None and b"," in length:
        notes |= Leniency.REPEATED_CONTENT_LENGTH
    length_bytes = None if length is None else _content_length(length)
    if status < 200 or status in (204, 304):
        framing = 0
    elif coding is not None:
        # The last coding is not chunked: only the connection's end tells the length (RFC 9112 §6.3, point 4).
        framing = CHUNKED if _last_coding(coding) == b"chunked" else UNTIL_CLOSE
    else:
        framing = UNTIL_CLOSE if length_bytes is None else length_bytes
    timeout_s, maximum = _keep_alive_parameters(keep_alive) if keep_alive else (None, None)
    persists = framing != UNTIL_CLOSE and _persists(version, options, coding, notes)
    sets_cookies = b"set-cookie" in raw.lower() and any(name.lower() == b"set-cookie" for name, _ in headers)
    return ResponseHead(
        status, version, framing, persists, options, timeout_s, maximum, tuple(headers), sets_cookies, notes
    )  # fmt: skip


def _parse_strictly(raw: bytes) -> tuple[int, str, list[tuple[bytes, bytes]], int] | None:
    """What llhttp says of a response's head; None if it, or the status line, is out of the ordinary."""
    # llhttp accepts bytes before the status line, and related protocols such as RTSP.
    if not raw.startswith(b"HTTP/"):
        raise not_http(raw)
    if not _STATUS_LINE.match(raw):
        return None
    fields = _HeadCallbacks()
    parser = httptools.HttpResponseParser(fields)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # a 101: the caller decides whether it was asked for
    except httptools.HttpParserError:
        # A 101 that names no protocol stops the parser as well, but after a whole head.
        if not fields.whole or parser.get_status_code() != 101:
            return None
    status = parser.get_status_code()
    return None if status < 100 else (status, parser.get_http_version(), fields.headers, 0)


def _choose(length: bytes, coding: bytes) -> int:
    """The note where a response has both fields that frame a body. Raises Malformed where no rule decides."""
    if _last_coding(coding) == b"chunked":
        return int(Leniency.LENGTH_WITH_CHUNKED)
    if _list(coding) == {b"identity"}:
        return int(Leniency.IDENTITY_CODING)
    raise Malformed(f"Content-Length {length!r} beside Transfer-Encoding {coding!r} (RFC 9112 §6.3)")


@lru_cache(_REMEMBERED_HEADS)
def without_body(head: ResponseHead) -> ResponseHead:
    """The same head as the answer to a HEAD request: no body follows it."""
    coding = next((value for name, value in head.headers if name.lower() == b"transfer-encoding"), None)
    return head._replace(framing=0, persists=_persists(head.version, head.options, coding, head.notes))


def to_the_letter(head: ResponseHead, raw: bytes) -> bytes:
    """The head for a parser that knows no leniency: its own bytes `raw` where they are in order."""
    if not head.notes:
        return raw
    lines = [b"HTTP/%b %d " % (head.version.encode(), head.status), *(b"%b: %b" % field for field in head.headers)]
    return b"\r\n".join([*lines, b"", b""])


@lru_cache(_REMEMBERED_HEADS)
def parse_request_head(raw: bytes) -> RequestHead:
    """Parse one whole request head, its empty line included. Raises Malformed."""
    fields = _HeadCallbacks()
    parser = httptools.HttpRequestParser(fields)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise Malformed(str(error)) from None
    version = parser.get_http_version()
    if version not in ("1.0", "1.1"):
        raise Malformed(f"HTTP/{version} is neither HTTP/1.0 nor HTTP/1.1")
    options, length, coding, _, expect = _relevant(fields.headers)
    if coding is not None and _last_coding(coding) != b"chunked":
        raise Malformed("a request's last transfer coding must be chunked (RFC 9112 §6.3)")
    framing = CHUNKED if coding is not None else 0 if length is None else _content_length(length)
    return RequestHead(
        parser.get_method(),
        fields.url,
        version,
        framing,
        _persists(version, options, coding),
        expect is not None and expect.lower() == b"100-continue",
    )


def _relevant(
    headers: list[tuple[bytes, bytes]],
) -> tuple[frozenset[bytes], bytes | None, bytes | None, bytes | None, bytes | None]:
    """The fields that decide framing and reuse: options, content-length, transfer-encoding, keep-alive, expect."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if len(name) in _RELEVANT_LENGTHS:
            known = _RELEVANT.get(name) or _RELEVANT.get(name.lower())
            if known:
                # Several lines of a list field are one list (RFC 9110 §5.3).
                found[known] = found[known] + b"," + value if known in found else value
    if not found:
        return frozenset(), None, None, None, None
    connection = found.get(b"connection")
    options = frozenset() if connection is None else _list(connection)
    coding = found.get(b"transfer-encoding")
    return options, found.get(b"content-length"), coding, found.get(b"keep-alive"), found.get(b"expect")


def _content_length(value: bytes) -> int:
    """Several lengths are one if they are the same (RFC 9112 §6.3, point 5)."""
    if len(value) < _MAX_LENGTH_DIGITS and value.isdigit():
        return int(value)
    lengths: list[int] = []
    for part in value.split(b","):
        digits = part.strip(b" \t")
        if not digits.isdigit() or len(digits.lstrip(b"0")) > _MAX_LENGTH_DIGITS:
            raise Malformed(f"Content-Length is {value[:_MAX_SHOWN_BYTES]!r} (RFC 9112 §6.3)")
        lengths.append(int(digits.lstrip(b"0") or b"0"))
        if lengths[-1] != lengths[0]:
            raise Malformed(
                f"two different Content-Length values, {lengths[0]} and {lengths[-1]} (RFC 9112 §6.3)"
            )  # fmt: skip
    return lengths[0]


@lru_cache(_REMEMBERED_HEADS)
def _list(value: bytes) -> frozenset[bytes]:
    return frozenset(item for part in value.split(b",") if (item := part.strip(b" \t").lower()))


def _last_coding(value: bytes) -> bytes:
    # Empty elements of a list don't count (RFC 9110 §5.6.1.2).
    return value.rstrip(b", \t").rsplit(b",", 1)[-1].strip(b" \t").lower()


def _persists(version: str, options: frozenset[bytes], coding: bytes | None, notes: int = 0) -> bool:
    # A transfer coding in HTTP/1.0 is a faulty framing (RFC 9112 §6.1).
    if b"close" in options or (coding is not None and version == "1.0") or notes & CLOSES:
        return False
    return version == "1.1" or b"keep-alive" in options


@lru_cache(_REMEMBERED_HEADS)
def _keep_alive_parameters(value: bytes) -> tuple[int | None, int | None]:
    found = {}
    for part in value.split(b","):
        name, _, number = part.partition(b"=")
        number = number.strip(b' \t"')
        if number.isdigit():
            found[name.strip(b" \t").lower()] = int(number[:9])
    return found.get(b"timeout"), found.get(b"max")
