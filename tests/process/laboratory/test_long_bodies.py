"""A body of many segments: on a new connection it comes in flights, each twice as large as the one before.

RFC 6928: the first flight has ten segments. RFC 5681 §3.1: while a connection is in slow start, the next one has twice
as many, a round trip later. The first flight ends `wait`, so `receive` takes a round trip for each of the others.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest

from tests.support.laboratory.runs import Laboratory
from tests.support.laboratory.servers import LONG_BYTES

pytestmark = [pytest.mark.alone, pytest.mark.peer]

_LOG = logging.getLogger(__name__)
MSS = 1500 - 20 - 20 - 12  # headers of IPv4 and TCP, and TCP's time stamps
INITIAL_WINDOW = 10
RTT_MS = 20


def flights(size_bytes: int) -> int:
    segments, flight, count = -(-size_bytes // MSS), INITIAL_WINDOW, 0
    while segments > 0:
        segments, flight, count = segments - flight, 2 * flight, count + 1
    return count


def test_slow_start_is_paid_on_new_connections_alone(laboratory: Laboratory) -> None:
    """The kept connection is busy: it keeps its window (here even where not, by tcp_slow_start_after_idle)."""
    run = laboratory.compare("http", RTT_MS, "persistent,close", 1000, path="/long")
    rounds = flights(LONG_BYTES + 250) - 1
    assert rounds == 4
    cold_ms = float(np.median(run.phase("close", "receive", first=True))) / 1e6
    _LOG.info("%d ms: receive of %d flights is %d RTT %+.3f ms", RTT_MS, rounds + 1, rounds, cold_ms - rounds * RTT_MS)
    assert cold_ms == pytest.approx(rounds * RTT_MS, abs=0.03 * rounds * RTT_MS + 0.5)
    # The window that the first response needed is wide enough for all that follow.
    assert np.median(run.phase("persistent", "receive", first=False)) / 1e6 < 0.2 * RTT_MS
    for policy in ("persistent", "close"):  # the server reads the file in that time
        assert np.median(run.phase(policy, "wait")) / 1e6 == pytest.approx(RTT_MS, abs=0.03 * RTT_MS + 2)
