"""A lost segment shows in the phase that waited for it, in no other, and in the kernel's counts of who sent it again.

The first connection carries the run's very first request, which is no sample: the nth connection's is the (n - 1)th.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.laboratory.drops import Drop
from tests.support.laboratory.runs import Laboratory

pytestmark = [pytest.mark.alone, pytest.mark.peer]

RTT_MS = 20
USUAL_MS = pytest.approx(RTT_MS, abs=1.5 * RTT_MS)  # one of many may meet a busy machine
MIN_RTO_MS = 200


def test_what_the_client_sends_is_lost(laboratory: Laboratory) -> None:
    """The SYN is sent again after a second (RFC 6298 §2.1), a request after 200 ms at least, as Linux has it."""
    laboratory.network.drop(Drop("client", "syn", 1, connection=3), Drop("client", "data", 1, connection=5))
    run = laboratory.compare("http", RTT_MS, "close", 1600)
    assert laboratory.network.relayed().waiting == []
    lost_syn, lost_request = 1, 3
    connect_ms = run.phase("close", "connect") / 1e6
    wait_ms = run.phase("close", "wait") / 1e6
    # The kernel's timers are coarser the longer they run: 1.04 s are usual.
    assert connect_ms[lost_syn] == pytest.approx(1000 + RTT_MS, abs=80)
    assert MIN_RTO_MS + RTT_MS <= wait_ms[lost_request] < 2 * MIN_RTO_MS
    assert list(np.delete(connect_ms, lost_syn)) == [USUAL_MS] * (len(connect_ms) - 1)
    assert list(np.delete(wait_ms, lost_request)) == [USUAL_MS] * (len(wait_ms) - 1)
    sockets = run.policies["close"]["sockets"]
    assert (sockets["syn_retransmits"], sockets["retransmits"]) == (1, 2)
    assert "syn_retransmits" in run.warnings
    assert run.policies["close"]["errors"] == {}


def test_what_the_server_sends_is_lost(laboratory: Laboratory) -> None:
    """One of the last flight is missed at once, and comes a round trip later.

    After the last one of all nothing comes that would tell: a timer does, which is two round trips for a probe
    (RFC 8985 §7.2), where there is one, and 200 ms at least for a retransmission.
    """
    middle, last = 170, 208
    laboratory.network.drop(Drop("server", "data", middle, connection=3), Drop("server", "data", last, connection=5))
    run = laboratory.compare("http", RTT_MS, "close", 1300, path="/long")
    assert laboratory.network.relayed().waiting == []
    lost = {middle: 1, last: 3}
    receive_ms = run.phase("close", "receive") / 1e6
    others_ms = np.delete(receive_ms, list(lost.values()))
    assert RTT_MS * 0.9 <= receive_ms[lost[middle]] - np.median(others_ms) < MIN_RTO_MS
    assert 2 * RTT_MS <= receive_ms[lost[last]] - np.median(others_ms) < 2 * MIN_RTO_MS
    assert list(others_ms) == [pytest.approx(np.median(others_ms), abs=1.5 * RTT_MS)] * len(others_ms)
    for phase in ("connect", "wait"):
        taken_ms = run.phase("close", phase) / 1e6
        assert list(taken_ms) == [USUAL_MS] * len(taken_ms)
    # The server is elsewhere, and so are its counts.
    assert run.policies["close"]["sockets"]["retransmits"] == 0
