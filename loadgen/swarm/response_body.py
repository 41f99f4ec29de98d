"""A response's body as scenarios read it: decoded, in pieces, in lines. Knows no connection and no event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Protocol

from urllib3 import HTTPResponse
from urllib3.exceptions import DecodeError


class BodySource(Protocol):
    """A body that is still on its way."""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all that is to come where it is negative; waits for them, and gives none at the end."""

    def close(self) -> None:
        """Read no further."""


def decoded(body: bytes, coding: str) -> bytes:
    """A body without its Content-Encoding; as it came where that is unknown or the body is not of it."""
    if not coding or not body:
        return body
    try:
        return HTTPResponse(BytesIO(body), headers={"Content-Encoding": coding}).data
    except DecodeError:
        return body


def charset_of(content_type: str) -> str | None:
    """The charset that a Content-Type names (RFC 9110 §8.3.2); None where it names none."""
    _, _, charset = content_type.lower().partition("charset=")
    return charset.partition(";")[0].strip(" \"'") or None


def pieces(source: BodySource, size: int | None) -> Iterator[bytes]:
    """A body in pieces of up to `size` bytes; as it comes where that is None."""
    while piece := source.read(65536 if size is None else size):
        yield piece


def lines(parts: Iterable[bytes], delimiter: bytes | None = None) -> Iterator[bytes]:
    """The lines of a body that comes in parts, without their ends (LF or CRLF); the last one may lack its end."""
    rest = b""
    for part in parts:
        *found, rest = (rest + part).split(delimiter or b"\n")
        yield from found if delimiter else (line.removesuffix(b"\r") for line in found)
    if rest:
        yield rest
