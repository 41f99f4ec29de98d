"""What the shell shows of a diff: a table and the verdict, a line for each policy. Computes nothing."""

from __future__ import annotations

from rich.table import Table

from loadgen.cli.console import fit_table, text_console
from loadgen.model.characters import visible
from loadgen.model.diff_record import DiffRecord, UnlikeFact
from loadgen.show.tables.run_changes import run_changes


def show_diff(diff: DiffRecord) -> None:
    """The table, in what the runs differ, and the verdict."""
    console = text_console()
    old = ", ".join(one["path"] for one in diff["old"])
    table: Table = fit_table(run_changes(diff), f"{diff['new']['path']} compared with {old}", console.width, names=2)
    if table.row_count:
        console.print(table)
    for fact in diff["unlike"]:
        console.print(visible(f"unlike: {unlike_text(fact)}"), soft_wrap=True)
    console.print()
    for line in diff["verdict"]:
        console.print(visible(line), style="bold", soft_wrap=True)


def unlike_text(fact: UnlikeFact) -> str:
    """Something in which runs differ, for people."""
    return f"{fact['what']} {fact['old']} before, {fact['new']} now"
