"""Run against run in Markdown: `diff.md`, for a pull request or a CI log, and histories.

Whatever others could have written is escaped.
"""

from __future__ import annotations

from loadgen.model.diff_record import DiffRecord
from loadgen.model.history_record import HistoryRecord
from loadgen.show.export.markdown import escape, table_markdown
from loadgen.show.tables.gates import gate_table
from loadgen.show.tables.history_rows import history_table
from loadgen.show.tables.run_changes import old_runs, run_changes, unlike_facts


def diff_markdown(diff: DiffRecord) -> str:
    """The page: which runs, the verdict, the table, and in what the runs differ."""
    parts = [f"**{escape(diff['new']['path'])}** compared with {escape(old_runs(diff))}\n"]
    parts.append("".join(f"- {escape(line)}\n" for line in diff["verdict"]))
    tables = (run_changes(diff), unlike_facts(diff), gate_table(diff.get("gates", ())))
    parts += [table_markdown(table) for table in tables if table.rows]
    return "\n".join(parts)


def history_markdown(history: HistoryRecord) -> str:
    """The tables of a history, each below what its runs have in common."""
    return "\n".join(f"**{escape(one['title'])}**\n\n{table_markdown(history_table(one))}" for one in history["groups"])
