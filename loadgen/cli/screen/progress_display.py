"""How far a run is, on standard error: as a live screen where that is a terminal, else as lines of a log."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any

from loadgen.cli.live_blocks import BlockListener
from loadgen.cli.screen.live_screen import LiveScreen
from loadgen.cli.screen.log_lines import LogLines
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.terminal import Terminal, can_draw, has_colours
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.measure.live.live_figures import LiveFigures
from loadgen.model.plan import Plan


class ProgressDisplay:
    """Shows a run. done: indices of blocks that earlier segments have measured.

    writes_lines: standard output gets lines meanwhile, which must not meet the screen on the same terminal.
    """

    def __init__(self, plan: Plan, quiet: bool, done: Collection[int], *, writes_lines: bool = False) -> None:
        self._run = RunProgress(plan, done)
        self._display: LiveScreen | LogLines | None = None
        if not quiet:
            draws = can_draw(sys.stderr) and not (writes_lines and sys.stdout.isatty())
            terminal = Terminal(sys.stderr, has_colours=has_colours())
            self._display = LiveScreen(self._run, terminal) if draws else LogLines(self._run)

    @property
    def listeners(self) -> list[BlockListener]:
        """They want each block as it ends, where the run is shown, or where its precision ends it."""
        if self._display is None and self._run.aim is None:
            return []
        return [self._add_block]

    @property
    def has_percentiles(self) -> bool:
        """The listeners want each block's latencies too."""
        return self._display is not None

    @property
    def figures(self) -> LiveFigures:
        """What is known of the run, if there are listeners."""
        return self._run.figures

    def __enter__(self) -> ProgressDisplay:
        if self._display is not None:
            self._display.draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.close()

    def show(self, event: Mapping[str, Any], worker: int = 0) -> None:
        """Take one event of a worker."""
        if self._run.add(event, worker) and self._display is not None:
            self._display.update()

    def say(self, message: str) -> None:
        """Show a line that stays, at once."""
        if message and self._display is not None:
            self._display.say(message)

    def _add_block(self, index: int, block: BlockLatency) -> None:
        self._run.figures.add(index, block)
        if self._display is not None:
            self._display.draw()
