"""The report's tables, one function each: headings and rows of text, for the shell, Markdown and HTML alike."""

from __future__ import annotations

from loadgen.show.tables.connections import endings, endings_note, generator, trailers, trailers_note, upgrades
from loadgen.show.tables.results import amortisation, arrivals, differences, phases, policies
from loadgen.show.tables.run_environment import environment
from loadgen.show.tables.system_resources import server, sockets
from loadgen.show.tables.table import Table

__all__ = [
    "Table", "amortisation", "arrivals", "differences", "endings", "endings_note", "environment", "generator", "phases",
    "policies", "server", "sockets", "trailers", "trailers_note", "upgrades",
]  # fmt: skip
