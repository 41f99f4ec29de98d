"""A run's progress for a log or a pipe: a line at the end of a round, now and then. A short run says nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from loadgen.cli.screen.ratios import ratio_text
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.top import place_text, throughput_text, time_text
from loadgen.cli.stdio import print_error
from loadgen.measure.stats.comparison import pair_name
from loadgen.model.units import count
from loadgen.show.formatting import duration

_EVERY_S = 5.0
"""Between two lines at least, so that short rounds do not fill a log."""
_QUIET_S = 30.0
"""Without a line at most: rounds may be long."""
_MIN_PLANNED_S = 10.0
"""A shorter load needs no lines. The plan decides, not the clock: a slow machine says as little."""
_MAX_POLICIES = 4
"""More do not fit on a line."""


class LogLines:
    """Lines on standard error."""

    def __init__(self, progress: RunProgress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._clock = clock
        self._last_s = clock()

    def update(self) -> None:
        """Something has changed."""
        seconds = self._clock() - self._last_s
        is_due = seconds >= _QUIET_S or (seconds >= _EVERY_S and self._progress.is_after_round)
        if self._progress.planned_s < _MIN_PLANNED_S or not self._progress.cell or self._progress.is_over:
            return
        if is_due:
            self._last_s = self._clock()
            print_error(log_line(self._progress))

    def draw(self) -> None:
        """A block has ended."""
        self.update()

    def say(self, message: str) -> None:
        """Show a line."""
        print_error(message)

    def close(self) -> None:
        """Nothing is left to do."""


def log_line(progress: RunProgress) -> str:
    """`round 3/5, 0:12, about 0:08 left: persistent 21,345 req/s, p50 412 µs; ...`."""
    figures = progress.figures
    if len(figures.policies) > _MAX_POLICIES:
        said = [f"now {progress.cell} {throughput_text(progress.rate_rps)} req/s"]
    else:
        said = [
            f"{name} {throughput_text(one.throughput_rps)} req/s, p50 {duration(one.p50_ns)}"
            for name, one in figures.policies.items()
        ]
        said += [
            f"{pair_name(one.baseline, one.candidate)} {ratio_text(one)}"
            for one in figures.ratios
            if one.ratio is not None
        ]
    if errors := progress.errors.total():
        said.append(count(errors, "error"))
    return f"{place_text(progress)}, {time_text(progress)}: {'; '.join(said)}"
