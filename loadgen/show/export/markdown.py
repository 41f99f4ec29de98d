"""`report.md`: the verdict, the tables that matter most and the warnings, for an issue, a README or a CI log.

Whatever a target or a user could have written is escaped: it makes no cell, no link, no picture and no markup.
"""

from __future__ import annotations

import re
from typing import TextIO

from loadgen.model.characters import visible
from loadgen.model.diff_record import DiffRecord
from loadgen.model.summary import Summary
from loadgen.show import tables
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.tables.run_changes import old_runs

# An underscore within a word, as in a warning's code, emphasises nothing (CommonMark §6.2).
_MARKUP = re.compile(r"[\\`|*]|\](?=[(\[:])|!(?=\[)|(?<!\w)_|_(?!\w)")


def render(summary: Summary, diff: DiffRecord | None = None) -> str:
    """The page. diff: what changed since a baseline."""
    text = f"> {escape(summary['verdict'])}\n\n{table_markdown(tables.policies(summary))}"
    more = [
        table
        for table in (
            tables.gates(summary),
            tables.named_requests(summary),
            tables.origins(summary),
            tables.balance(summary),
            tables.continues(summary),
            tables.races(summary),
            tables.amortisation(summary),
            tables.checks(summary),
        )
        if table.rows
    ]
    return "\n".join([text, *_changes(diff), *map(table_markdown, more), *_audit(summary), *_warnings(summary)])


def _changes(diff: DiffRecord | None) -> list[str]:
    if diff is None:
        return []
    old = escape(old_runs(diff))
    return [f"What changed since {old}:\n", "".join(f"- {escape(line)}\n" for line in diff["verdict"])]


def _audit(summary: Summary) -> list[str]:
    """What an audit before the load found out, if there was one: those findings that are not just right."""
    note, table = tables.audited_note(summary), tables.notable_findings(summary)
    return [f"{escape(note)}\n", *([table_markdown(table)] if table.rows else [])] if note else []


def _warnings(summary: Summary) -> list[str]:
    """A list of them, if there are any; those of errors name the kinds, with their numbers."""
    lines = [f"- warning {escape(one['code'])}: {escape(one['message'])}\n" for one in summary["warnings"]]
    return ["".join(lines)] if lines else []


def table_markdown(table: tables.Table) -> str:
    """A table of escaped cells."""
    lines = [table.headings, ("---",) * len(table.headings), *table.rows]
    return "\n".join(f"| {' | '.join(map(escape, cells))} |" for cells in lines) + "\n"


def escape(text: str) -> str:
    """A text of one line. The brackets of an interval stay; those of a link or a picture (CommonMark §6.3) do not."""
    return _MARKUP.sub(r"\\\g<0>", visible(text).replace("&", "&amp;").replace("<", "&lt;"))


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(render(run.summary, run.diff))


MARKDOWN = Exporter(
    name="markdown",
    file_name="report.md",
    title="report in Markdown",
    help="Verdict and table, for an issue or a README.",
    written=Written.UNLESS_NO_CHARTS,
    write=_write,
)
