"""The report's tables, one function each: headings and rows of text, for the shell, Markdown and HTML alike."""

from __future__ import annotations

from loadgen.show.tables.balance import balance, balance_note
from loadgen.show.tables.checks import checks, checks_note
from loadgen.show.tables.connection_attempts import races, races_note
from loadgen.show.tables.connections import connections, endings, endings_note, trailers, trailers_note, upgrades
from loadgen.show.tables.continue_waits import continues, continues_note
from loadgen.show.tables.findings import findings
from loadgen.show.tables.floor import floor_note
from loadgen.show.tables.gates import gates, gates_note
from loadgen.show.tables.generator import generator, generator_note
from loadgen.show.tables.leniencies import lenient, lenient_note
from loadgen.show.tables.named_requests import named_requests, named_requests_note
from loadgen.show.tables.origin_results import origins, origins_note
from loadgen.show.tables.pilot import pilot, pilot_note
from loadgen.show.tables.results import amortisation, arrivals, differences, phases, policies
from loadgen.show.tables.run_environment import environment
from loadgen.show.tables.run_findings import audited_note, notable_findings
from loadgen.show.tables.system_resources import server, sockets
from loadgen.show.tables.table import Table

__all__ = [
    "Table", "amortisation", "arrivals", "audited_note", "balance", "balance_note", "checks", "checks_note",
    "connections", "continues", "continues_note", "differences", "endings",
    "endings_note", "environment", "findings", "floor_note",
    "gates", "gates_note", "generator", "generator_note", "lenient", "lenient_note", "named_requests",
    "named_requests_note", "notable_findings", "origins", "origins_note",
    "phases", "pilot", "pilot_note", "policies", "races", "races_note", "server", "sockets", "trailers",
    "trailers_note", "upgrades",
]  # fmt: skip
