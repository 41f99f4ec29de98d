"""The live screen: a run's picture, drawn again on a terminal when the run goes on. Decides when, not what."""

from __future__ import annotations

import time
from collections.abc import Callable

from loadgen.cli.screen.picture import body, sized
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.terminal import Terminal
from loadgen.cli.screen.top import top_lines
from loadgen.cli.stdio import print_error

_DRAW_EVERY_S = 0.2


class LiveScreen:
    """Shows how far a run is, and what it has found out, for as long as it goes on."""

    def __init__(self, progress: RunProgress, terminal: Terminal, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._terminal = terminal
        self._clock = clock
        self._drawn_s: float | None = None
        self._body_key: object = None
        self._body: list[str] = []
        """As it was drawn last: it changes with a block, the head all the time."""

    def update(self) -> None:
        """Something has changed; draw it if the last drawing is not too recent."""
        if self._drawn_s is None or self._clock() - self._drawn_s >= _DRAW_EVERY_S:
            self.draw()

    def draw(self) -> None:
        """Draw it now."""
        columns, rows = self._terminal.size
        width, room = sized(columns, rows)
        top = top_lines(self._progress, width)
        key = (width, room, len(top), *self._progress.state)
        if key != self._body_key:
            lines = body(self._progress, width, room - len(top))
            self._body_key, self._body = key, self._terminal.encode(lines, width)
        self._terminal.draw([*self._terminal.encode(top, width), *self._body][:room])
        self._drawn_s = self._clock()

    def say(self, message: str) -> None:
        """Show a line above the picture; it stays."""
        self._terminal.clear()
        print_error(message)
        if self._drawn_s is not None:
            self.draw()

    def close(self) -> None:
        """Leave nothing of it; what is shown next begins where it began."""
        self._terminal.clear()
