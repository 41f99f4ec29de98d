"""Chunked bodies (RFC 9112 §7.1): bytes in, content and trailer fields out. Knows no head and no socket.

A line of a chunk frames the body, so it must end with CR LF, and be nothing but a size and well-formed extensions; what
may be lenient is blanks around them, and the lines of the trailer section, as in a head.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import hexdigits

from loadgen.model.leniency import Leniency
from loadgen.wire.http1.head import MAX_HEAD_BYTES
from loadgen.wire.http1.lenient_lines import add_field, refuse_bare_cr, without_cr
from loadgen.wire.http1.malformed import HeadTooLarge, Malformed

# Sizes beyond this do not fit the C integers of the compiled module.
_MAX_SIZE_DIGITS = 15
_MAX_SHOWN_BYTES = 40
_CR, _LF = ord("\r"), ord("\n")
# The value of each character as a hexadecimal digit; 16 for one that is none.
_DIGITS = bytes(int(chr(code), 16) if chr(code) in hexdigits else 16 for code in range(256))
_SIZE = re.compile(rb"[0-9A-Fa-f]+")
_BEGIN_OF_SIZE_LINE = re.compile(rb"[0-9A-Fa-f]+(?:[ \t;][^\r]*)?\r?")
# No group is possessive: CPython before 3.11.5 may match a part of one (gh-106052).
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_BWS = rb"[ \t]*+"
_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]+)((?:%(bws)b;%(bws)b%(token)b(?:%(bws)b=%(bws)b(?:%(token)b|%(quoted)b))?)*)%(bws)b"
    % {b"bws": _BWS, b"token": _TOKEN, b"quoted": _QUOTED}
)
_STRINGS = re.compile(_QUOTED)
# The part of a body that comes next.
_SIZES, _CONTENT, _CONTENT_END, _TRAILERS = 0, 1, 2, 3


class ChunkedBody:
    """Decodes one chunked body fed in any fragments.

    is_strict: of a request. What a user agent may take is refused, and a Content-Length in the trailer section too: it
    frames nothing, but a server before or behind this one may think that it does.
    """

    __slots__ = (
        "_is_strict", "_line", "_missing", "_part", "_sink", "_trailer_bytes", "body_bytes", "complete", "notes",
        "rest", "trailers",
    )  # fmt: skip

    def __init__(self, sink: Callable[[bytes], object] | None = None, is_strict: bool = False) -> None:
        # The decoded bytes so far; the trailer section's fields; the bytes that came after the end.
        self.body_bytes = 0
        self.complete = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self.rest = b""
        # The bits of each Leniency that it needed.
        self.notes = 0
        self._sink = sink
        self._is_strict = is_strict
        self._part = _SIZES
        # Bytes of the present chunk's content that have not come; the begin of a line that is not whole.
        self._missing = 0
        self._line = b""
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Take bytes; True once the body and its trailer section are complete. Raises Malformed or HeadTooLarge."""
        at = 0
        size = len(data)
        while at < size and not self.complete:
            if self._part == _CONTENT:
                at = self._take_content(data, at)
            else:
                end = 0 if self._line else self._take_usual_line(data, at)
                at = end if end > 0 else self._take_any_line(data, at)
        self.rest = data[at:]
        return self.complete

    # Inside. What takes bytes gives the place behind them.

    def _take_content(self, data: bytes, at: int) -> int:
        end = min(len(data), at + self._missing)
        self._missing -= end - at
        self.body_bytes += end - at
        if self._sink is not None:
            self._sink(data[at:end])
        if self._missing == 0:
            self._part = _CONTENT_END
        return end

    def _take_usual_line(self, data: bytes, at: int) -> int:
        """A line that is whole and is a bare size, or empty where it has to be; 0 for any other."""
        size = len(data)
        place = at
        number = 0
        if self._part == _SIZES:
            while place < size and place - at < _MAX_SIZE_DIGITS and _DIGITS[data[place]] < 16:
                number = number * 16 + _DIGITS[data[place]]
                place += 1
            if place == at:
                return 0
        if place + 1 >= size or data[place] != _CR or data[place + 1] != _LF:
            return 0
        if self._part == _SIZES:
            self._missing = number
            self._part = _CONTENT if number else _TRAILERS
        elif self._part == _CONTENT_END:
            self._part = _SIZES
        else:
            self.complete = True
        return place + 2

    def _take_any_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        if end == 0:
            self._line += data[at:]
            self._check_begin()
            return len(data)
        line = self._line + data[at : end - 1]
        self._line = b""
        self._take_line(line)
        return end

    def _take_line(self, line: bytes) -> None:
        """A whole line, without its LF."""
        self._check_length(len(line))
        if self._part == _TRAILERS:
            self._take_trailer(line)
        elif self._part == _CONTENT_END:
            if line != b"\r":
                raise _no_content_end(line)
            self._part = _SIZES
        elif line.endswith(b"\r"):
            self._take_size(line[:-1])
        else:
            raise Malformed(f"the line of a chunk ends with LF alone: {line[:_MAX_SHOWN_BYTES]!r} (RFC 9112 §7.1)")

    def _take_size(self, line: bytes) -> None:
        digits = line
        if not _SIZE.fullmatch(line):
            match = _SIZE_LINE.fullmatch(line)
            if match is None:
                raise _no_size(line)
            digits = match[1]
            if match.end(2) < len(line) or b" " in (plain := _STRINGS.sub(b"", match[2])) or b"\t" in plain:
                self._note(Leniency.CHUNK_BLANKS)
        digits = digits.lstrip(b"0")
        if len(digits) > _MAX_SIZE_DIGITS:
            raise _no_size(line)
        self._missing = int(digits or b"0", 16)
        self._part = _CONTENT if self._missing else _TRAILERS

    def _take_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line) + 1
        line, notes = without_cr(line)
        if line:
            notes |= add_field(line, self.trailers)
            if self._is_strict and self.trailers[-1][0].lower() == b"content-length":
                raise Malformed("Content-Length stands in a trailer section (RFC 9110 §6.5.1)")
        else:
            self.complete = True
        if notes:
            self._note(notes)

    def _note(self, notes: int) -> None:
        if self._is_strict:
            raise Malformed("a request's chunked body must keep to the letter of RFC 9112 §7.1")
        self.notes |= notes

    def _check_begin(self) -> None:
        """A line that is not whole: refuse it as soon as it can't become a right one, however it goes on."""
        line = self._line
        self._check_length(len(line))
        if self._part == _TRAILERS:
            refuse_bare_cr(line)
        elif self._part == _CONTENT_END:
            if line != b"\r":
                raise _no_content_end(line)
        elif not _BEGIN_OF_SIZE_LINE.fullmatch(line):
            raise _no_size(line)

    def _check_length(self, line_bytes: int) -> None:
        if self._trailer_bytes + line_bytes > MAX_HEAD_BYTES:
            part = "trailer section" if self._part == _TRAILERS else "line of a chunk"
            raise HeadTooLarge(f"the {part} is longer than {MAX_HEAD_BYTES} bytes")


def _no_size(line: bytes) -> Malformed:
    return Malformed(f"the chunk size is {line[:_MAX_SHOWN_BYTES]!r} (RFC 9112 §7.1)")


def _no_content_end(line: bytes) -> Malformed:
    found = line[:_MAX_SHOWN_BYTES]
    return Malformed(f"no CR LF follows a chunk of the size that it names, but {found!r} (RFC 9112 §7.1)")
