"""The head of a response, past the interim responses before it (RFC 9110 §15.2). Knows no body, no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from loadgen.wire.http1.head import MAX_HEAD_BYTES, HeadTooLarge, Malformed, ResponseHead, parse_response_head

END_OF_HEAD = b"\r\n\r\n"
SWITCHING_PROTOCOLS = 101
# An endless row of 1xx is an endless head.
_MAX_INTERIM = 100
_MAX_SHOWN_STATUS = 60


class TooManyInterim(HeadTooLarge):
    """More interim responses than any server has a use for."""


class FinalHead(NamedTuple):
    """What FinalHeadReader gives."""

    head: ResponseHead
    raw: bytes
    """The head's own bytes, with the empty line."""
    rest: bytes
    """The bytes that followed it."""
    interim: int
    """How many interim responses came before."""


class FinalHeadReader:
    """Reads heads from bytes in any fragments, one final head after another.

    A 101 is final here: the caller knows whether it asked for a switch. parse: makes a whole head's bytes a head.
    """

    __slots__ = ("_interim", "_parse", "_partial", "begun")

    def __init__(self, parse: Callable[[bytes], ResponseHead] = parse_response_head) -> None:
        self._parse = parse
        self._partial = b""
        self._interim = 0
        # Some bytes of a response have come, and no final head yet.
        self.begun = False

    def feed(self, data: bytes) -> FinalHead | None:
        """Take the next bytes; the final head once it is whole, else None. Raises Malformed."""
        if self._partial:
            data = self._partial + data
        while end := head_end(data):
            raw, data = data[:end], data[end:]
            head = self._parse(raw)
            if head.status >= 200 or head.status == SWITCHING_PROTOCOLS:
                found = FinalHead(head, raw, data, self._interim)
                self._partial, self._interim, self.begun = b"", 0, False
                return found
            if self._interim == _MAX_INTERIM:
                raise TooManyInterim(f"more than {_MAX_INTERIM} interim responses")
            self._interim += 1
        self._partial = data
        self.begun = bool(data) or self._interim > 0
        return None


def head_end(data: bytes) -> int:
    """Where the head at the start of `data` ends, its empty line included; 0 while it is not whole.

    Raises Malformed where these bytes begin no response, HeadTooLarge where the head is too long.
    """
    end = data.find(END_OF_HEAD) + 4
    if (end if end >= 4 else len(data)) > MAX_HEAD_BYTES:
        raise HeadTooLarge(f"the head is longer than {MAX_HEAD_BYTES} bytes")
    if end >= 4:
        return end
    if not b"HTTP/".startswith(data[:5]):
        raise Malformed(f"the response starts with {data[:16]!r}")
    return 0


def status_text(raw: bytes) -> str:
    """Status code and reason phrase of a response's head, fit to be shown."""
    _, _, status = raw.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return "".join(character if character.isprintable() else "?" for character in status[:_MAX_SHOWN_STATUS]).strip()
