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


class Pair(NamedTuple):
    """One request by its client and by the packets (ns). connect: None on a reused connection."""

    row: Row
    connect_ns: int | None
    send_wait_ns: int


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
            pairs[index] = Pair(row, connect_ns, exchange.response_ns - exchange.request_ns)
    return [pairs[index] for index in sorted(pairs)]


def connect_errors_ns(pairs: Sequence[Pair], policy: str) -> list[int]:
    """By how much the client's connect exceeds the packets', for each connection that a request opened."""
    return [
        one.row.connect_ns - one.connect_ns
        for one in pairs
        if one.row.policy == policy and one.row.connect_ns is not None and one.connect_ns is not None
    ]


def send_wait_errors_ns(pairs: Sequence[Pair], policy: str) -> list[int]:
    """By how much the client's send + wait exceeds the packets' time from request to response."""
    return [one.row.send_wait_ns - one.send_wait_ns for one in pairs if one.row.policy == policy]


def errors_ns(pairs: Sequence[Pair], policy: str) -> list[int]:
    """By how much the client's phases exceed the packets' times: connect, where there was one, and send + wait."""
    return [
        (one.row.connect_ns or 0) - (one.connect_ns or 0) + one.row.send_wait_ns - one.send_wait_ns
        for one in pairs
        if one.row.policy == policy
    ]
