"""Which frames the relay drops: rules such as "the second data segment that the server sends on a connection"."""

from __future__ import annotations

from typing import NamedTuple

from tests.support.laboratory.segments import Segment


class Drop(NamedTuple):
    """Drops one segment: the nth of its kind that this side sends on one connection, counted from 1.

    side: `client` or `server`, the one that sends it. kind: `syn`, `syn_ack` or `data`. connection: which one, by the
    order of their first SYN since the rules were set, counted from 1. A segment that is sent again counts again.
    """

    side: str
    kind: str
    nth: int
    connection: int


class Drops:
    """The rules that are in force; each is met once."""

    def __init__(self, rules: list[Drop]) -> None:
        self.waiting = list(rules)
        self._connections: dict[int, int] = {}  # number by the client's port
        self._seen: dict[tuple[str, str, int], int] = {}

    def takes(self, side: str, segment: Segment) -> bool:
        """This segment, which `side` has sent, is to be dropped."""
        port = segment.source_port if side == "client" else segment.destination_port
        kind = segment.kind
        if kind == "syn":
            self._connections.setdefault(port, len(self._connections) + 1)
        connection = self._connections.get(port, 0)
        met = side, kind, connection
        self._seen[met] = self._seen.get(met, 0) + 1
        rule = Drop(side, kind, self._seen[met], connection)
        if rule not in self.waiting:
            return False
        self.waiting.remove(rule)
        return True
