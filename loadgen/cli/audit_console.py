"""What the shell shows of an audit: its cost beforehand, a progress line, the table."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from rich.table import Table

from loadgen.cli.console import text_console
from loadgen.cli.stdio import print_error
from loadgen.model.audit import AuditRecord
from loadgen.model.characters import visible
from loadgen.model.units import format_duration
from loadgen.probe.audit import Audit
from loadgen.probe.probe import ProbeGroup
from loadgen.show import tables


def show_probes(groups: Iterable[ProbeGroup]) -> None:
    """The probes and their questions."""
    for group in groups:
        print(f"{group.name}: {group.title}")  # noqa: T201 # this room prints
        for probe in group.probes:
            print(f"  {probe.name:<26} {probe.question}")  # noqa: T201 # so it does


def show_cost(audit: Audit) -> None:
    """How much the audit will ask of the server at most."""
    print_error(
        f"{len(audit.probes)} probes of {audit.plan.target}: at most {audit.max_requests:,} requests on "
        f"{audit.max_connections:,} connections within {format_duration(audit.plan.max_time_ns)}"
    )


class AuditProgress:
    """A line on standard error while an audit runs, where that is a terminal."""

    def __init__(self, audit: Audit, *, quiet: bool) -> None:
        self._audit = audit
        self._quiet = quiet

    def __enter__(self) -> AuditProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def show_audit(audit: AuditRecord) -> None:
    """The table of findings."""
    console = text_console()
    headings, rows = tables.findings(audit)
    table = Table(title=visible(audit["url"]), title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(visible, row))
    console.print(table)
