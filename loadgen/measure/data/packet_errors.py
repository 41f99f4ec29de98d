"""Which sample is which exchange of a capture, and by how much its phases differ from the packets. Reads no file.

Samples have no port. What one worker does happens one after the other, so the first SYN (on a reused connection: the
first request) after a sample has its connection is the sample's own. Pairs say what the stamps of each request add,
however the times themselves scatter; two medians could agree by chance.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.packet_times import PacketConnection, PacketExchange
from loadgen.measure.data.rows import Samples
from loadgen.model.records import ABSENT

Item = TypeVar("Item")

CONNECT, TLS, SEND_WAIT = "connect", "tls", "send_wait"
# The first packet leaves within this time after a sample has its connection; a later one is of another sample.
_MAX_DELAY_NS = 5_000_000
# The two clocks are read one after the other.
_CLOCK_ERROR_NS = 2_000
_TRIES = 64


@dataclass(frozen=True, slots=True)
class PacketErrors:
    """By how much a phase exceeds what the packets show (ns), one value for each sample that has it."""

    by_phase: dict[str, NDArray[np.int64]]
    """Keys CONNECT, TLS and SEND_WAIT; the last is `send + wait` against request to first segment of the response."""
    matched: int
    """Samples whose packets were found."""
    unmatched: int
    """Complete samples without."""


def wall_clock_offset_ns() -> int:
    """What to add to the clock of samples for that of captures, from the closest of several readings (ns)."""
    best_ns, offset_ns = None, 0
    for _ in range(_TRIES):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        took_ns = time.monotonic_ns() - before_ns
        if best_ns is None or took_ns < best_ns:
            best_ns, offset_ns = took_ns, wall_ns - before_ns - took_ns // 2
    return offset_ns


def packet_errors(samples: Samples, connections: Sequence[PacketConnection], offset_ns: int) -> PacketErrors:
    """The errors of all complete samples of one worker in HTTP/1.1, whose packets were captured.

    offset_ns: see `wall_clock_offset_ns`; read it in the minute of the capture, as the wall clock may be slewed.
    """
    columns = samples.of(samples.columns["error"] == ABSENT).columns
    begun_ns = columns["scheduled"].astype(np.int64) + np.maximum(columns["queue"], 0) + offset_ns - _CLOCK_ERROR_NS
    opened = _ByTime([(one.syn_ns, one) for one in connections])
    asked = _ByTime([(later.request_ns, later) for one in connections for later in one.exchanges[1:]])
    found: dict[str, list[int]] = {CONNECT: [], TLS: [], SEND_WAIT: []}
    matched = 0
    phases = zip(
        *(columns[name].tolist() for name in ("nth_on_connection", "connect", "tls", "send", "wait")), strict=True
    )
    for began_ns, (nth, connect_ns, tls_ns, send_ns, wait_ns) in zip(begun_ns.tolist(), phases, strict=True):
        connection = opened.first_after(began_ns) if nth == 0 else None
        exchange = connection.exchanges[0] if connection and connection.exchanges else None
        if nth:
            exchange = asked.first_after(began_ns)
        if exchange is None:
            continue
        matched += 1
        if connection is not None:
            _note(found[CONNECT], connect_ns, connection.connect_ns)
            _note(found[TLS], tls_ns, connection.tls_ns)
        _note(found[SEND_WAIT], send_ns + wait_ns, _answered_after_ns(exchange))
    arrays = {name: np.array(errors, np.int64) for name, errors in found.items()}
    return PacketErrors(arrays, matched, len(begun_ns) - matched)


class _ByTime(Generic[Item]):
    """Finds the first item after a time."""

    def __init__(self, items: list[tuple[int, Item]]) -> None:
        items.sort(key=lambda one: one[0])
        self._times = [time_ns for time_ns, _ in items]
        self._items = [item for _, item in items]

    def first_after(self, time_ns: int) -> Item | None:
        index = bisect_left(self._times, time_ns)
        if index == len(self._items) or self._times[index] > time_ns + _MAX_DELAY_NS:
            return None
        return self._items[index]


def _answered_after_ns(exchange: PacketExchange) -> int | None:
    return None if exchange.response_ns is None else exchange.response_ns - exchange.request_ns


def _note(errors: list[int], phase_ns: int, packets_ns: int | None) -> None:
    if phase_ns >= 0 and packets_ns is not None:
        errors.append(phase_ns - packets_ns)
