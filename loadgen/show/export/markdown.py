"""`report.md`: the verdict and the tables that matter most, for an issue, a README or a CI log."""

from __future__ import annotations

from typing import TextIO

from loadgen.model.summary import Summary
from loadgen.show import tables
from loadgen.show.export.exporter import Exporter, RunData, Written


def render(summary: Summary) -> str:
    """The page."""
    text = f"> {summary['verdict']}\n\n{_table(tables.policies(summary))}"
    curves = tables.amortisation(summary)
    return f"{text}\n{_table(curves)}" if curves.rows else text


def _table(table: tables.Table) -> str:
    lines = [table.headings, ("---",) * len(table.headings), *table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(render(run.summary))


MARKDOWN = Exporter(
    name="markdown",
    file_name="report.md",
    title="report in Markdown",
    help="Verdict and table, for an issue or a README.",
    written=Written.UNLESS_NO_CHARTS,
    write=_write,
)
