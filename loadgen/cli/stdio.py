"""The standard streams: a failure of theirs never ends a run, which is saved whatever becomes of what it shows.

What can't be written is dropped and the first reason kept, to be told at the end. Knows no command.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO


class GuardedStream(io.FileIO):
    """An open descriptor to write to, as far as that goes."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.failure: OSError | None = None

    def write(self, data: object, /) -> int | None:  # type: ignore[override] # the buffer above hands over memory views
        """Write, or take note that it failed and let this and all that follows go."""
        view = memoryview(data)  # type: ignore[arg-type]
        if self.failure is None:
            try:
                return super().write(view)
            except OSError as error:
                self.failure = error
        return view.nbytes


def guard() -> GuardedStream:
    """Put both output streams on such files; returns standard output's.

    A stream that the caller has closed becomes the null device, for else a file of ours would take its number.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
    output = GuardedStream(sys.stdout.fileno())
    sys.stdout = _text(output, sys.stdout)
    sys.stderr = _text(GuardedStream(sys.stderr.fileno()), sys.stderr)
    return output


def complaint(output: GuardedStream) -> str:
    """Why standard output could not be written; empty where it could, or its reader had seen enough (`| head`)."""
    sys.stdout.flush()
    if output.failure is None or output.failure.errno == errno.EPIPE:
        return ""
    return f"can't write to standard output: {output.failure.strerror}"


def _text(file: GuardedStream, before: TextIO) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=bool(before.line_buffering),
    )
