"""What the shell shows: a line for what takes long on standard error, table and verdict on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from loadgen.cli.audit_table import audit_lines
from loadgen.cli.fitted_table import fit_table
from loadgen.cli.screen.terminal import can_draw
from loadgen.model.audit import Verdict
from loadgen.model.characters import visible
from loadgen.model.summary import Summary
from loadgen.show import tables
from loadgen.show.formatting import target_text, verdict_lines
from loadgen.show.tables.findings import only
from loadgen.show.text_histogram import histogram_lines

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
    return console.status(text) if can_draw(sys.stderr) else nullcontext()


@contextmanager
def changing_line(text: str) -> Iterator[Callable[[str], None]]:
    """A line as above whose text can be changed by calling what the context gives."""
    if not can_draw(sys.stderr):
        yield lambda _text: None
        return
    with _console(stderr=True).status(text) as status:
        yield status.update


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
    for title, table, names in (
        ("by name", tables.named_requests(summary), 2),
        ("by origin", tables.origins(summary), 2),
        ("by address", tables.balance(summary), 2),
        ("attempts to connect", tables.races(summary), 1),
        ("Expect: 100-continue", tables.continues(summary), 2),
    ):
        if table.rows:
            console.print(fit_table(table, title, console.width, names=names), soft_wrap=not console.is_terminal)
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
