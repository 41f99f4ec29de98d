"""The standard streams. If one fails, the run goes on and its results are saved.

Output that can't be written is dropped; the first reason is kept and reported at the end. Knows no command.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from typing import TextIO

from loadgen.model.characters import visible
from loadgen.model.redaction import redact_url

_PLAIN = {
    "µ": "u", "×": "x", "±": "+/-", "–": "-", "·": "-", "…": "...", "≤": "<=", "≥": ">=", "→": "->",
    "━": "=", "─": "-",
    "▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%", "█": "#",
}  # fmt: skip
"""What is written in place of characters that a stream's encoding lacks; of others their code."""


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of codecs. Replaces the first character; the codec goes on after it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = _PLAIN.get(error.object[error.start])
    return (plain, error.start + 1) if plain else codecs.backslashreplace_errors(error)


codecs.register_error("loadgen.plainer", _plainer)


def can_encode(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def plain_text(text: str) -> str:
    """As it is written where the encoding has ASCII only."""
    return text.encode("ascii", "loadgen.plainer").decode("ascii")


class GuardedStream(io.FileIO):
    """Writes to an open descriptor until that fails, and from then on drops what it gets."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: object, /) -> int | None:  # type: ignore[override] # the buffer above hands over memory views
        """Write, or note the failure."""
        view = memoryview(data)  # type: ignore[arg-type]
        if self.failure is None:
            try:
                while (written := super().write(view)) is None:  # a program that shares the stream made it non-blocking
                    select.select([], [self], [])
                return written
            except OSError as error:
                self.failure = error
        return view.nbytes


def guard() -> GuardedStream:
    """Put both output streams on such files; returns the one of standard output.

    A stream that the caller has closed becomes the null device: otherwise the next file we open would get its number.
    As standard output it can't be written to, which is noted once something should have been.
    """
    for name, flags in (("stdin", os.O_RDWR), ("stdout", os.O_RDONLY), ("stderr", os.O_RDWR)):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, flags)
            setattr(sys, name, os.fdopen(null, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
    output = GuardedStream(sys.stdout.fileno())
    sys.stdout = _text(output, sys.stdout)
    sys.stderr = _text(GuardedStream(sys.stderr.fileno()), sys.stderr)
    return output


def output_failure(output: GuardedStream) -> str:
    """Why standard output could not be written; empty where it could, or where its reader has closed it (`| head`)."""
    sys.stdout.flush()
    if output.failure is None or output.failure.errno == errno.EPIPE:
        return ""
    return f"can't write to standard output: {output.failure.strerror}"


def print_error(message: str) -> None:
    """One line on standard error, inert whatever a server or a user wrote into it."""
    print(f"loadgen: {visible(redact_url(' '.join(message.split())))}", file=sys.stderr)  # noqa: T201 # this room prints


def _text(file: GuardedStream, before: TextIO) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=before.encoding,
        errors="loadgen.plainer",  # in a locale without UTF-8 too, a table is no reason to fail
        line_buffering=bool(before.line_buffering),
    )
