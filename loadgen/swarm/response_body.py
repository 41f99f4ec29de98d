"""A response's body as scenarios read it: decoded, in pieces, in lines. Knows no connection and no event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Protocol

from urllib3 import HTTPResponse
from urllib3.exceptions import DecodeError

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.model.errors import ErrorKind
from loadgen.swarm.request_failures import failure_of_outcome


class BodySource(Protocol):
    """A body that is still on its way."""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all that is to come where it is negative; waits for them, and gives none at the end."""

    def close(self) -> None:
        """Read no further."""


class StreamedBody:
    """A body that comes while it is read; what ends it before its end is raised as a RequestFailed."""

    def __init__(self, stream: BodyStream) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        part = self._stream.read(size)
        if self._stream.ended and (size < 0 or not part):
            self._check_end()
        return part

    def close(self) -> None:
        self._stream.close()

    def _check_end(self) -> None:
        result = self._stream.result
        if self._stream.error is not None:
            raise self._stream.error
        cut = result is not None and result.outcome < 0 and result.error is not ErrorKind.UNFINISHED
        failure = failure_of_outcome(result.outcome) if cut and result is not None else None
        if failure is not None:
            raise failure


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
