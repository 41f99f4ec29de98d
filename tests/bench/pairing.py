"""Which of our rows is which exchange on the wire, and by how much its times differ. Pure: numbers in, numbers out.

One user sends one request after another, so the time of a request says which one it is: a row's `scheduled`, on the
clock of the packets, is the last one before the request's first segment (before the SYN of a connection's first
request). Pairing one by one is stronger than comparing medians: the differences say what each stamp adds, however the
times themselves scatter, and a row without packets is noticed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from tests.bench.segments import WireConnection

_MAX_DELAY_NS = 2_000_000
"""A request that left later than this after its row was due belongs to no row: the generator had no work between."""


class Row(NamedTuple):
    """One request as a client recorded it (ns). None: what did not happen, or was not measured."""

    policy: str
    scheduled_ns: int
    connect_ns: int | None
    send_wait_ns: int
    receive_ns: int = 0
    own_ns: int | None = None
    wait_delay_ns: int | None = None
    connect_delay_ns: int | None = None
    connect_begun_ns: int | None = None
    send_begun_ns: int | None = None


class Pair(NamedTuple):
    """One request by its client and by the packets (ns), both on the client's clock.

    connect: None on a reused connection. syn: when the SYN left. request: when the request's first segment left.
    """

    row: Row
    connect_ns: int | None
    send_wait_ns: int
    syn_ns: int
    request_ns: int

    @property
    def connect_error_ns(self) -> int | None:
        """By how much the client's connect exceeds the packets'."""
        if self.row.connect_ns is None or self.connect_ns is None:
            return None
        return self.row.connect_ns - self.connect_ns

    @property
    def send_wait_error_ns(self) -> int:
        return self.row.send_wait_ns - self.send_wait_ns

    @property
    def error_ns(self) -> int:
        """By how much both together exceed the packets'."""
        return (self.connect_error_ns or 0) + self.send_wait_error_ns

    @property
    def syn_delay_ns(self) -> int | None:
        """From the call until the SYN left; where it opened a connection and the client says when it began to."""
        return None if self.row.connect_begun_ns is None else self.syn_ns - self.row.connect_begun_ns

    @property
    def request_delay_ns(self) -> int | None:
        """From the call until the request's first segment left."""
        return None if self.row.send_begun_ns is None else self.request_ns - self.row.send_begun_ns


def pair(rows: Sequence[Row], connections: Sequence[WireConnection], offset_ns: int) -> list[Pair]:
    """The pairs; offset_ns: what to add to a row's clock for the clock of the packets.

    Rows without a partner are left out, and so are exchanges of a warm-up. Raises ValueError where two exchanges claim
    one row.
    """
    ordered = sorted(rows, key=lambda row: row.scheduled_ns)
    due = [row.scheduled_ns + offset_ns for row in ordered]
    pairs: dict[int, Pair] = {}
    for connection in connections:
        for nth, exchange in enumerate(connection.exchanges):
            began_ns = connection.syn_ns if nth == 0 else exchange.request_ns
            index = bisect_right(due, began_ns) - 1
            if index < 0 or began_ns - due[index] > _MAX_DELAY_NS:
                continue
            row = ordered[index]
            if (row.connect_ns is None) != (nth > 0):
                continue
            if index in pairs:
                raise ValueError(f"two exchanges within {_MAX_DELAY_NS} ns after the row due at {row.scheduled_ns}")
            connect_ns = connection.connect_ns if nth == 0 else None
            syn_ns, request_ns = connection.syn_ns - offset_ns, exchange.request_ns - offset_ns
            pairs[index] = Pair(row, connect_ns, exchange.response_ns - exchange.request_ns, syn_ns, request_ns)
    return [pairs[index] for index in sorted(pairs)]
