"""What the shell shows of an audit: its cost beforehand, a progress line, the table and a line of counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console, RenderableType
from rich.text import Text

from loadgen.cli.audit_table import audit_lines
from loadgen.cli.console import status_line, text_console
from loadgen.cli.stdio import print_error
from loadgen.model.audit import AuditRecord
from loadgen.model.characters import visible
from loadgen.model.units import count, format_duration
from loadgen.probe.audit import Audit
from loadgen.probe.probe import Probe, ProbeGroup
from loadgen.probe.progress import progress_text
from loadgen.show.tables.findings import audit_facts, skipped, verdict_counts


def show_probes(groups: Iterable[ProbeGroup], chosen: Sequence[Probe]) -> None:
    """The chosen probes and their questions."""
    for group in groups:
        probes = [probe for probe in group.probes if probe in chosen]
        if probes:
            print(f"{group.name}: {group.title}")  # noqa: T201 # this room prints
        for probe in probes:
            print(f"  {probe.name:<26} {probe.question}")  # noqa: T201 # so it does


def show_cost(audit: Audit) -> None:
    """How much the audit will ask of the server at most."""
    print_error(
        f"{count(len(audit.probes), 'check')} of {audit.plan.target}: at most {audit.max_requests:,} requests on "
        f"{audit.max_connections:,} connections within {format_duration(audit.plan.max_time_ns)}"
    )


def progress(audit: Audit, *, quiet: bool) -> AbstractContextManager[object]:
    """A line on standard error for as long as the audit runs, where that is a terminal."""
    return nullcontext() if quiet else status_line(_ProgressText(audit))


class _ProgressText:
    """Renders itself anew each time that it is drawn, from a thread of the terminal's: it only reads."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    def __rich_console__(self, console: Console, _options: object) -> Iterable[RenderableType]:
        yield Text(progress_text(self._audit), no_wrap=True, overflow="ellipsis")


def show_audit(audit: AuditRecord) -> None:
    """The table of findings, with what was looked at above and a line of counts below."""
    console = text_console()
    console.print(visible(audit["url"]), style="bold", soft_wrap=True)
    console.print(visible(audit_facts(audit)), style="dim")
    for line in audit_lines(audit, console.width):
        console.print(line, soft_wrap=True)
    console.print()
    for names, why in skipped(audit).rows:
        console.print(visible(f"not asked, because {why}: {names}"), style="dim")
    console.print(verdict_counts(audit), style="bold")
