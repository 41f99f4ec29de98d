"""Lines that are drawn again and again in one place of a terminal. Knows no run.

Between two drawings the cursor rests at the beginning of the first line, so whatever a terminal does to the lines when
it is made narrower (some break them, some cut them off), everything below the cursor is ours and can be erased. Text
that is to stay goes above. Sequences are those of ECMA-48, and DEC's for the cursor and for the end of a line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from loadgen.cli.screen.spans import Line, Span, cropped
from loadgen.cli.stdio import can_encode, plain_text

STYLES = {"bold": "1", "dim": "2", "rate": "36", "p50": "35", "width": "32", "error": "31"}
"""Styles of spans as parameters of SGR; the numbers from 30 on are colours."""
_NO_COLOURS = ("bold", "dim")
_SYMBOLS = "━▁×±µ…"
_DEFAULT_SIZE = (80, 24)
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
# A line that is too wide after all, as where the terminal is made narrower at this moment, is cut off.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


def can_draw(stream: TextIO) -> bool:
    """It is a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def has_colours() -> bool:
    """Colours may be used: NO_COLOR is not set (https://no-color.org)."""
    return not os.environ.get("NO_COLOR")


class Terminal:
    """Where lines are drawn: from the line of the cursor on."""

    def __init__(self, stream: TextIO, *, has_colours: bool) -> None:
        self._stream = stream
        self._styles = {name: sgr for name, sgr in STYLES.items() if has_colours or name in _NO_COLOURS}
        self._is_plain = not can_encode(stream, _SYMBOLS)
        self._is_drawn = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return _DEFAULT_SIZE
        return columns or _DEFAULT_SIZE[0], rows or _DEFAULT_SIZE[1]

    def encode(self, lines: Sequence[Line], width: int) -> list[str]:
        """Each line with its styles; none is wider than `width` if a character takes more room as plain text."""
        if self._is_plain:
            lines = [cropped([Span(plain_text(text), style) for text, style in line], width) for line in lines]
        return ["".join(self._styled(text, style) for text, style in line) for line in lines]

    def draw(self, lines: Sequence[str]) -> None:
        """Draw encoded lines over those that are there; no more of them than there are rows."""
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        drawn = f"{_ERASE_LINE}\r\n".join(lines)
        self._write(f"{_HIDE_CURSOR}{_NO_WRAP}\r{drawn}{_ERASE_LINE}{_ERASE_BELOW}{_WRAP}{up}\r")
        self._is_drawn = True

    def clear(self) -> None:
        """Leave nothing of what was drawn, and the cursor as it was."""
        if self._is_drawn:
            self._write(f"\r{_ERASE_BELOW}{_SHOW_CURSOR}")
            self._is_drawn = False

    def _styled(self, text: str, style: str) -> str:
        sgr = self._styles.get(style)
        return f"\x1b[{sgr}m{text}\x1b[0m" if sgr and text else text

    def _write(self, text: str) -> None:
        # At once: a part of it, when another process writes, would leave the cursor anywhere.
        self._stream.write(text)
        self._stream.flush()
