"""How many round trips each phase takes: what the protocols say, at several delays.

What both ends compute is not nothing, a handshake's cryptography above all, so it is measured over the same path with
no delay: a phase takes its round trips, and longer than these by twice of that at most. Where there is next to nothing
to compute, the whole phase must fit.

- `tls` with TLS 1.3 (RFC 8446 §2) ends with the server's Finished: the client's own goes with the request, and what the
  server computes for it is in the first exchange. A resumed handshake takes one round trip too, and with early data
  the response comes with the server's part of it.
- `tls` with TLS 1.2 takes two (RFC 5246 §7.3), resumed one, where the client's Finished again goes with the request.
- `tunnel` is CONNECT and its answer (RFC 9110 §9.3.6); the proxy's own connection to the server has no delay here.
- `upgrade` is the WebSocket's opening handshake (RFC 6455 §4), or with h2c the whole first request: it is answered on
  stream 1 behind the 101 (RFC 7540 §3.2).

`--log-cli-level=info` shows the figures.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.laboratory.runs import PHASES, Laboratory, Measured

pytestmark = [pytest.mark.alone, pytest.mark.peer]


class Plan(NamedTuple):
    """What is run against a server, and at which round-trip times (ms)."""

    policies: str
    rtts_ms: tuple[int, ...]


# By server; `proxy` is tls13 behind a proxy.
PLANS = {
    "http": Plan("persistent,close", (5, 20, 50)),
    "http6": Plan("persistent,close", (20,)),
    "tls13": Plan("persistent,close,close-resume,early-data", (5, 20, 50)),
    "early": Plan("close-resume,early-data", (20,)),
    "tls12": Plan("close,close-resume", (5, 50)),
    "h2": Plan("h2,h2+recycle:1", (20,)),
    "target": Plan("websocket,websocket-close,h2c-upgrade,h2c-upgrade+recycle:1", (5, 50)),
    "proxy": Plan("persistent,close", (5, 50)),
}
_LOG = logging.getLogger(__name__)
_AT_ONCE = 3  # more of them would wait for the processor


class Law(NamedTuple):
    """Round trips of each phase of a policy's requests: of the first ones on their connections, or of the others."""

    server: str
    policy: str
    first: bool
    round_trips: dict[str, int]


WARM = {"exchange": 1}
LAWS = [
    Law("http", "persistent", False, WARM),
    Law("http", "close", True, {"connect": 1, "exchange": 1}),
    Law("http6", "persistent", False, WARM),
    Law("http6", "close", True, {"connect": 1, "exchange": 1}),
    Law("tls13", "persistent", False, WARM),
    Law("tls13", "close", True, {"connect": 1, "tls": 1, "exchange": 1}),
    Law("tls13", "close-resume", True, {"connect": 1, "tls": 1, "exchange": 1}),
    Law("tls13", "early-data", True, {"connect": 1, "tls": 1, "exchange": 0}),
    Law("early", "close-resume", True, {"connect": 1, "tls": 1, "exchange": 1}),
    Law("early", "early-data", True, {"connect": 1, "tls": 1, "exchange": 0}),
    Law("tls12", "close", True, {"connect": 1, "tls": 2, "exchange": 1}),
    Law("tls12", "close-resume", True, {"connect": 1, "tls": 1, "exchange": 1}),
    Law("h2", "h2", False, WARM),
    Law("h2", "h2+recycle:1", True, {"connect": 1, "tls": 1, "exchange": 1}),
    Law("target", "websocket", False, WARM),
    Law("target", "websocket-close", True, {"connect": 1, "upgrade": 1, "exchange": 1}),
    Law("target", "h2c-upgrade", False, WARM),
    Law("target", "h2c-upgrade+recycle:1", True, {"connect": 1, "upgrade": 1, "exchange": 0}),
    Law("proxy", "persistent", False, WARM),
    Law("proxy", "close", True, {"connect": 1, "tunnel": 1, "tls": 1, "exchange": 1}),
]

Runs = Mapping[tuple[str, int], Measured]


@pytest.fixture(scope="module")
def runs(laboratory: Laboratory) -> Runs:
    """A run of each server at each round-trip time (ms), and one without a delay."""
    keys = [(server, rtt_ms) for server, plan in PLANS.items() for rtt_ms in (0, *plan.rtts_ms)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(keys, pool.map(lambda key: _measure(laboratory, *key), keys), strict=True))


def _measure(laboratory: Laboratory, server: str, rtt_ms: int) -> Measured:
    # Without a delay the user pauses for as long: what is computed after a wait for the network finds cold caches.
    longest_ms = max(PLANS[server].rtts_ms)
    more = [] if rtt_ms else ["--think", f"{longest_ms}ms"]
    return laboratory.compare(server, rtt_ms, PLANS[server].policies, max(200, 25 * (rtt_ms or longest_ms)), *more)


def median(run: Measured, law: Law, phase: str) -> float:
    return float(np.median(run.phase(law.policy, phase, first=law.first)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.server}-{law.policy}")
def test_round_trips(runs: Runs, law: Law) -> None:
    without_delay = runs[law.server, 0]
    for rtt_ms in PLANS[law.server].rtts_ms:
        run = runs[law.server, rtt_ms]
        for phase, count in law.round_trips.items():
            computed_ms = median(without_delay, law, phase) / 1e6
            away_ms = median(run, law, phase) / 1e6 - count * rtt_ms
            _LOG.info("%d ms: %s is %d RTT %+.3f ms, %.3f ms computed", rtt_ms, phase, count, away_ms, computed_ms)
            tolerance_ms = 0.03 * count * rtt_ms + 0.5
            # Between two waits the same takes longer, by caches and by processors that sleep: twice as long at most.
            assert -tolerance_ms <= away_ms <= tolerance_ms + 2 * computed_ms, (rtt_ms, phase)
        for phase in set(PHASES) - {"send", "wait", "receive"} - law.round_trips.keys():
            assert (run.phase(law.policy, phase, first=law.first) == -1).all(), (rtt_ms, phase)
        assert run.policies[law.policy]["errors"] == {}


@pytest.mark.parametrize(
    ("server", "policy", "phase"),
    [
        ("http", "close", "connect"),
        ("http", "close", "exchange"),
        ("http", "persistent", "exchange"),
        ("tls13", "close", "connect"),
        ("tls13", "persistent", "exchange"),
        ("proxy", "close", "tunnel"),
    ],
)
def test_next_to_nothing_is_computed(runs: Runs, server: str, policy: str, phase: str) -> None:
    """The whole phase is a round trip, with nothing subtracted."""
    for rtt_ms in PLANS[server].rtts_ms:
        taken = runs[server, rtt_ms].phase(policy, phase, first=policy == "close")
        taken_ms = float(np.median(taken)) / 1e6
        _LOG.info("%d ms: %s is 1 RTT %+.3f ms, nothing subtracted", rtt_ms, phase, taken_ms - rtt_ms)
        assert taken_ms == pytest.approx(rtt_ms, abs=0.03 * rtt_ms + 0.5), rtt_ms


def test_the_phases_are_all_of_the_latency(runs: Runs) -> None:
    for run in runs.values():
        for policy, one in run.policies.items():
            assert run.phase(policy, "total").mean() == pytest.approx(one["latency_ns"]["mean"], abs=1)


def test_the_servers_counted_the_same(runs: Runs, laboratory: Laboratory) -> None:
    """All that were there; lost segments change nothing."""
    assert len(laboratory.runs) >= len(runs)

    def counted(key: str, server: str) -> int:
        return sum(run.connections(key) for of, run in laboratory.runs if of == server)

    for server in ("http", "http6", "tls12", "tls13", "h2"):
        log = laboratory.servers.log(server)
        assert len(log) == counted("exchanges_with_warmup", server)
        assert len({connection for connection, _, _ in log}) == counted("opened", server)
        resumed = {connection for connection, _, how in log if how == "r"}
        assert len(resumed) == counted("tls_resumed", server)
    assert laboratory.servers.account() == (counted("opened", "target"), counted("exchanges_with_warmup", "target"))
