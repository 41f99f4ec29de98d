"""A client, a proxy and a server, each far from the next: what is asked of the server takes both ways."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from loadgen.model.units import NS_PER_MS
from tests.support.laboratory.network import network
from tests.support.laboratory.runs import Laboratory, Measured
from tests.support.laboratory.servers import nginx

pytestmark = [pytest.mark.alone, pytest.mark.peer]

_LOG = logging.getLogger(__name__)
NEAR_MS, FAR_MS = 20, 60


def test_a_tunnel_is_opened_on_both_legs(laboratory: Laboratory, tmp_path: Path) -> None:
    """CONNECT is answered when the proxy has connected to the server, which is a round trip from there.

    The client's Finished and its request are two segments. tinyproxy, which leaves Nagle's algorithm on (RFC 9293
    §3.7.4), may read the first alone; then it holds the second until the server has acknowledged the first.
    """
    near = laboratory.network
    with network(near.server, number=78) as far, nginx(far, tmp_path / "nginx") as server:

        def measure(near_ms: int, far_ms: int, block_ms: int, *more: str) -> Measured:
            url, proxy = server.url("tls13", far_ms * NS_PER_MS), laboratory.servers.proxy(near_ms * NS_PER_MS)
            trusting = ("--cacert", str(server.ca_file), "--proxy", proxy, *more)
            return laboratory.compare_url(url, "persistent,close", block_ms, *trusting)

        # What all three compute; with pauses, as what is computed after a wait for the network finds cold caches.
        runs = [measure(0, 0, 800, "--think", f"{NEAR_MS + FAR_MS}ms"), measure(NEAR_MS, FAR_MS, 1600)]
        log = server.log("tls13")
    both_ms = NEAR_MS + FAR_MS
    for policy, phase, *may_be_ms in (
        ("persistent", "exchange", both_ms),
        ("close", "connect", NEAR_MS),
        ("close", "tunnel", both_ms),
        ("close", "tls", both_ms),
        ("close", "exchange", both_ms, both_ms + FAR_MS),
    ):
        without_delay_ms, taken_ms = (run.phase(policy, phase, first=policy == "close") / 1e6 for run in runs)
        computed_ms = float(np.median(without_delay_ms))
        added_ms = taken_ms - computed_ms
        away_ms = float(np.median(np.min([np.abs(added_ms - expected) for expected in may_be_ms], axis=0)))
        _LOG.info("%s, %s: %s ms, %.3f ms away", policy, phase, may_be_ms, away_ms)
        # Between two waits the same takes longer, by caches and by processors that sleep: three times as long at most.
        assert away_ms <= min(0.03 * may_be_ms[0] + 0.5 + 2 * computed_ms, NEAR_MS / 2), (policy, phase, taken_ms)
    assert len(log) == sum(run.connections("exchanges_with_warmup") for run in runs)
    assert len({connection for connection, _, _ in log}) == sum(run.connections("opened") for run in runs)
