"""What the shell shows: a progress bar on standard error, the table and the verdict on standard output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from loadgen.cli.audit_table import audit_lines
from loadgen.cli.fitted_table import fit_table
from loadgen.model.audit import Verdict
from loadgen.model.characters import visible
from loadgen.model.plan import Plan
from loadgen.model.summary import Summary
from loadgen.model.units import NS_PER_S, count, margin_text, percent_text
from loadgen.show import tables
from loadgen.show.formatting import target_text
from loadgen.show.tables.findings import only
from loadgen.show.text_histogram import histogram_lines

_MAX_RATES = 4  # cells whose rates fit on one line
_PIPE_COLUMNS = 120  # a pipe or a log has no width of its own


def _console(**options: Any) -> Console:
    """A console that changes no text: `[x]` in a URL is no markup, `:100:` after a policy's name no emoji."""
    return Console(markup=False, emoji=False, highlight=False, **options)


def text_console() -> Console:
    """A console on standard output, with a width of its own where that is no terminal."""
    console = _console()
    return console if console.is_terminal else _console(width=_PIPE_COLUMNS)


def status_line(text: RenderableType) -> AbstractContextManager[object]:
    """A line with a spinner on standard error for as long as the context lasts, where that is a terminal.

    A text that is an object with `__rich_console__` is asked anew each time that the line is drawn.
    """
    console = _console(stderr=True)
    return console.status(text) if console.is_terminal else nullcontext()


@contextmanager
def changing_line(text: str) -> Iterator[Callable[[str], None]]:
    """A line as above whose text can be changed by calling what the context gives."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with console.status(text) as status:
        yield status.update


class Progress:
    """A bar with live req/s and errors per cell; silent where standard error is no terminal."""

    def __init__(self, plan: Plan, quiet: bool, done: int) -> None:
        console = _console(stderr=True)
        self._console = console
        self._quiet = quiet
        self._rounds = plan.max_rounds
        self._aim = plan.until_precision
        self._half_width: float | None = None
        self._counts = {cell.name: _Count() for cell in plan.cells}
        self._blocks = self._rounds * len(self._counts)
        self._started = done
        """Blocks that have begun, those of earlier segments included."""
        self._block: dict[str, Any] | None = None
        self._seen: dict[int, tuple[int, int]] = {}
        """Exchanges and errors that each worker has reported."""
        self._updated_s = time.monotonic()
        self._bar = Bar(
            SpinnerColumn(),
            BarColumn(24),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            auto_refresh=False,
            transient=True,
        )
        block_s = plan.load.block_ns / NS_PER_S
        self._done_s = done * block_s
        self._task = self._bar.add_task("checking the target", total=self._blocks * block_s)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, event: dict[str, Any], worker: int = 0) -> None:
        """Take one event of a worker. Several workers run the same block at the same time; their counts are added."""
        now_s = time.monotonic()
        if "block" in event:
            if self._block is None or self._block["index"] != event["block"]["index"]:
                self._block, self._updated_s = event["block"], now_s
                self._started += 1
        elif "exchanges" in event and self._block is not None:
            counts = self._counts[self._block["policy"]]
            exchanges, errors = self._seen.get(worker, (0, 0))
            counts.exchanges += event["exchanges"] - exchanges
            counts.errors += event["errors"] - errors
            counts.seconds += now_s - self._updated_s
            self._seen[worker], self._updated_s = (event["exchanges"], event["errors"]), now_s
            self._draw(self._block)

    def note_precision(self, half_width: float | None) -> None:
        """Within what share the ratios are known after the last round; None where one is not known yet."""
        self._half_width = half_width

    def warn(self, message: str) -> None:
        """Show a warning above the bar, at once."""
        if not self._quiet:
            self._console.print(visible(f"loadgen: warning: {message}"), soft_wrap=True)

    def say(self, message: str) -> None:
        """Show a line above the bar, where there is one to show."""
        if message and not self._quiet:
            self._console.print(visible(f"loadgen: {message}"), soft_wrap=True)

    def _draw(self, block: dict[str, Any]) -> None:
        if len(self._counts) > _MAX_RATES:
            name = block["policy"]
            place = f"block {self._started}/{self._blocks}" if self._aim is None else self._round(block["round"] + 1)
            text = f"{place}  {name} {self._counts[name]}"
        else:
            rates = " · ".join(f"{name} {one}" for name, one in self._counts.items())
            text = f"{self._round(block['round'] + 1)}  {rates}"
        completed_s = self._done_s + sum(one.seconds for one in self._counts.values())
        self._bar.update(self._task, completed=completed_s, description=text)
        self._bar.refresh()

    def _round(self, number: int) -> str:
        """`round 2/5`, or `round 7  ±3.1% (aim ±2%)` where the precision decides how many there are."""
        if self._aim is None:
            return f"round {number}/{self._rounds}"
        known = "±?" if self._half_width is None else margin_text(self._half_width)
        return f"round {number}  {known} (aim ±{percent_text(self._aim)})"


@dataclass(slots=True)
class _Count:
    """The exchanges and errors of a cell so far, warm-up included."""

    exchanges: int = 0
    errors: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        if not self.seconds:
            return "–"
        failed = f", {count(self.errors, 'error')}" if self.errors else ""
        return f"{self.exchanges / self.seconds:,.0f} req/s{failed}"


def _show_audit(summary: Summary, console: Console) -> None:
    """What an audit before the load found out: how many findings, and those that break a rule or cost something."""
    audit = summary["environment"].get("audit")
    if audit is None:
        return
    for line in audit_lines(only(audit, Verdict.VIOLATION, Verdict.WARNING), console.width):
        console.print(line, soft_wrap=True)
    console.print()
    console.print(visible(tables.audited_note(summary)), soft_wrap=True)


def show_summary(summary: Summary) -> None:
    """The final table, warnings, latencies as a histogram, and the verdict."""
    console = text_console()
    title = f"{summary['plan']['method']} {target_text(summary['plan'])}"
    console.print(fit_table(tables.policies(summary), title, console.width), soft_wrap=not console.is_terminal)
    for warning in summary["warnings"]:
        say(console, Text.assemble(("warning", "yellow"), " ", visible(f"{warning['code']}: {warning['message']}")))
    _show_audit(summary, console)
    for gate in summary.get("gates", ()):
        if gate["passed"]:  # those that failed are errors, which stand below everything else
            said = visible(f"{gate['expression']}: {gate['message']}")
            say(console, Text.assemble(("gate passed:", "green"), " ", said))
    _show_histogram(summary, console)
    console.print()
    for line in verdict_lines(summary):
        say(console, Text(visible(line), "bold"))


def show_path(path: Path) -> None:
    """Where the result can be read, on one line whatever its length."""
    console = text_console()
    console.print()
    console.print(visible(str(path)), soft_wrap=True)


def verdict_lines(summary: Summary) -> list[str]:
    """The verdict, a line for each policy where the run has it so."""
    return summary.get("verdict_lines") or [summary["verdict"]]


def say(console: Console, text: Text) -> None:
    """Lines of whole words on a terminal; one line, however long, where it is none."""
    console.print(text, soft_wrap=not console.is_terminal)


def _show_histogram(summary: Summary, console: Console) -> None:
    lines = histogram_lines(summary, min(console.width, _PIPE_COLUMNS))
    if lines:
        console.print()
        console.print("latency, as the share of a policy's requests", soft_wrap=True)
    for line in lines:
        console.print(visible(line), soft_wrap=True)
