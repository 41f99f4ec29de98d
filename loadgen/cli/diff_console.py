"""What the shell shows of a diff: a table and the verdict, a line for each policy. Computes nothing."""

from __future__ import annotations

from rich.text import Text

from loadgen.cli.console import say, text_console
from loadgen.cli.fitted_table import fit_table
from loadgen.model.characters import visible
from loadgen.model.diff_record import DiffRecord, UnlikeFact
from loadgen.show.tables.run_changes import old_runs, run_changes


def show_diff(diff: DiffRecord) -> None:
    """The table, in what the runs differ, and the verdict."""
    console = text_console()
    found = run_changes(diff)
    if found.rows:
        title = f"{diff['new']['path']} compared with {old_runs(diff)}"
        console.print(fit_table(found, title, console.width, names=2), soft_wrap=not console.is_terminal)
    for fact in diff["unlike"]:
        say(console, Text(visible(f"unlike: {unlike_text(fact)}")))
    console.print()
    for line in diff["verdict"]:
        say(console, Text(visible(line), "bold"))


def unlike_text(fact: UnlikeFact) -> str:
    """Something in which runs differ, for people."""
    return f"{fact['what']} {fact['old']} before, {fact['new']} now"
