"""How connections ended, and whether the server decided how long they lived. Words nothing."""

from __future__ import annotations

from loadgen.model.connections_summary import ConnectionsSummary
from loadgen.model.records import ClosedBy, Ending

_ENDED_BY_SERVER_SHARE = 0.05
_SERVER_ENDINGS = {ending.label for ending in Ending if ending.closed_by is ClosedBy.SERVER}


def server_endings(connections: ConnectionsSummary) -> dict[str, int]:
    """How the server ended connections, {label: count}."""
    return {label: count for label, count in connections["endings"].items() if label in _SERVER_ENDINGS}


def ended_by_server(connections: ConnectionsSummary) -> bool:
    """The server ended more connections than chance explains, so the policy did not decide how long they lived."""
    return connections["closed_by"]["server"] > _ENDED_BY_SERVER_SHARE * connections["opened"]
