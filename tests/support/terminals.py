"""The command on a pseudo-terminal, and what another program's terminal (pyte) makes of what it writes."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass

import pyte


class TerminalStream(io.StringIO):
    """A stream that is a terminal, with what it shows."""

    def __init__(self, columns: int = 30, rows: int = 8, encoding: str = "utf-8") -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, rows)
        self._reader = pyte.Stream(self.screen)
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # a text stream in memory has none
        return self._encoding

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._reader.feed(text)
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        return lines_of(self.screen)


@dataclass(frozen=True, slots=True)
class TerminalRun:
    """What came of a command. output: all that it wrote, in pieces as they came."""

    code: int
    output: bytes
    columns: int
    rows: int

    def screen(self, output: bytes | None = None) -> pyte.Screen:
        """The terminal after all of the output, or after this part of it."""
        screen = pyte.Screen(self.columns, self.rows)
        pyte.ByteStream(screen).feed(self.output if output is None else output)
        return screen


def lines_of(screen: pyte.Screen) -> list[str]:
    """What the screen shows, without blanks at the ends of lines."""
    return [line.rstrip() for line in screen.display]


def run_on_terminal(
    *arguments: str, columns: int = 80, rows: int = 40, on_output: Callable[[bytes, int], None] | None = None
) -> TerminalRun:
    """Run loadgen on a terminal of this size. on_output gets all output so far, and where to write what is typed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    # A session of its own with this terminal, so that ^C reaches it.
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "PYTHONUTF8": "1"},
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    output = b""
    try:
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:  # EIO: no process has the other end any more
                break
            output += piece
            if on_output is not None:
                on_output(output, ours)
        return TerminalRun(process.wait(timeout=60), output, columns, rows)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
