"""The head of a response, past the interim responses before it (RFC 9110 §15.2). Knows no body, no socket, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from loadgen.model.leniency import Leniency
from loadgen.wire.http1.head import MAX_HEAD_BYTES, HeadTooLarge, Malformed, NotHttp, ResponseHead, parse_response_head
from loadgen.wire.http1.lenient_lines import check_begin

LINE_END_BYTES = b"\r\n"
"""The bytes of an empty line, in any number and order."""
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
    notes: int
    """The bits of each Leniency that it, or what came before it, needed."""


class FinalHeadReader:
    """Reads heads from bytes in any fragments, one final head after another.

    A 101 is final here: the caller knows whether it asked for a switch. parse: makes a whole head's bytes a head.
    """

    __slots__ = ("_empty_bytes", "_interim", "_notes", "_parse", "_partial", "begun")

    def __init__(self, parse: Callable[[bytes], ResponseHead] = parse_response_head) -> None:
        self._parse = parse
        self._partial = b""
        self._interim = 0
        self._notes = 0
        self._empty_bytes = 0
        # Some bytes of a response have come, and no final head yet.
        self.begun = False

    @property
    def has_only_interim(self) -> bool:
        """Interim responses have come, each of them whole, and no byte of what follows."""
        return self._interim > 0 and not self._partial

    def feed(self, data: bytes) -> FinalHead | None:
        """Take the next bytes; the final head once it is whole, else None. Raises Malformed."""
        try:
            return self._feed(data)
        except NotHttp as error:
            if not self._interim:
                raise
            raise Malformed(f"{error}, behind an interim response") from None

    def _feed(self, data: bytes) -> FinalHead | None:
        if self._partial:
            data = self._partial + data
        data = self._without_empty_lines(data)
        while end := head_end(data):
            raw, data = data[:end], data[end:]
            head = self._parse(raw)
            self._notes |= head.notes
            if head.status >= 200 or head.status == SWITCHING_PROTOCOLS:
                found = FinalHead(head, raw, data, self._interim, self._notes)
                self._partial, self._interim, self._notes, self._empty_bytes, self.begun = b"", 0, 0, 0, False
                return found
            if self._interim == _MAX_INTERIM:
                raise TooManyInterim(f"more than {_MAX_INTERIM} interim responses")
            self._interim += 1
            data = self._without_empty_lines(data)
        self._partial = data
        self.begun = bool(data) or self._interim > 0
        return None

    def _without_empty_lines(self, data: bytes) -> bytes:
        """Skip empty lines before a head, as most parsers do; bounded, like a head."""
        rest = data.lstrip(LINE_END_BYTES)
        if len(rest) < len(data):
            self._notes |= Leniency.EMPTY_LINE
            self._empty_bytes += len(data) - len(rest)
            if self._empty_bytes > MAX_HEAD_BYTES:
                raise HeadTooLarge(f"more than {MAX_HEAD_BYTES} bytes of empty lines came before a head")
        return rest


def head_end(data: bytes) -> int:
    """Where the head at the start of `data` ends, its empty line included; 0 while it is not whole.

    Raises Malformed where these bytes begin no response, HeadTooLarge where the head is too long.
    """
    end = first_empty_line(data)
    if (end or len(data)) > MAX_HEAD_BYTES:
        raise HeadTooLarge(f"the head is longer than {MAX_HEAD_BYTES} bytes")
    if not end:
        check_begin(data)
    return end


def first_empty_line(data: bytes) -> int:
    """Where the first empty line ends; 0 where there is none. A line ends with LF, and CR before it (RFC 9112 §2.2)."""
    end = data.find(b"\n\r\n") + 3
    bare_end = data.find(b"\n\n", 0, end if end >= 3 else len(data)) + 2
    return bare_end if bare_end >= 2 else end if end >= 3 else 0


def status_text(raw: bytes) -> str:
    """Status code and reason phrase of a response's head, fit to be shown."""
    _, _, status = raw.partition(b"\n")[0].removesuffix(b"\r").decode("latin-1").partition(" ")
    return "".join(character if character.isprintable() else "?" for character in status[:_MAX_SHOWN_STATUS]).strip()
