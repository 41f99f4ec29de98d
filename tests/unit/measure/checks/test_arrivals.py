"""Requests that began when the plan says, and such that did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from loadgen.drive.open_loop.due_times import due_ns
from loadgen.measure.checks.arrivals import ARRIVALS
from loadgen.measure.checks.check import CheckOutcome
from loadgen.model.plan import Load
from loadgen.model.units import NS_PER_MS, NS_PER_S, NS_PER_US
from tests.support.simulated_runs import BLOCK_NS, WARMUP_NS, WINDOW_NS, orders, simulated_run

Times = NDArray[np.float64]
ROUNDS = 5
RNG = np.random.default_rng(9)


def due(rate_rps: float, kind: str, seed: int) -> Times:
    """What is due in a window (ns from its beginning on), as the engine makes it."""
    found = []
    for at in due_ns(rate_rps, kind, seed):
        if at >= BLOCK_NS:
            return np.array(found, np.float64)
        if at >= WARMUP_NS:
            found.append(at - WARMUP_NS)
    raise AssertionError("there is no end")


def in_time(times: Times) -> Times:
    return RNG.exponential(20 * NS_PER_US, len(times))


def open_loop(
    kind: str,
    late: Callable[[Times], Times] = in_time,
    *,
    rate_rps: float = 1_000,
    asked: str = "",
    change: Callable[[Times], Times] = lambda times: times,
    keep: float = 1.0,
    requests: int | None = None,
    **facts: Any,
) -> CheckOutcome:
    """An open loop of `kind` where `asked`, the same unless given, was asked for."""
    times = [change(due(rate_rps, kind, seed)) for seed in range(ROUNDS)]
    number = [len(one) for one in times]
    times = [one[RNG.random(len(one)) < keep] for one in times]
    load = Load(rounds=ROUNDS, rate_rps=rate_rps, arrivals=asked or kind, requests=requests)
    run = simulated_run(
        [[np.full(len(one), 1e6) for one in times]], orders(1, ROUNDS, 0), load=load, at_ns=[times],
        late=[[late(one) for one in times]],
    )  # fmt: skip
    for block in run.samples.blocks:
        block["due"] = number[block["round"]]
        block.update(facts)  # type: ignore[typeddict-item] # what a test gives
    return ARRIVALS.run(run)


@pytest.mark.parametrize("kind", ["constant", "poisson"])
@pytest.mark.parametrize("rate_rps", [100, 1_000])
def test_what_was_asked_for_passes(kind: str, rate_rps: float) -> None:
    found = open_loop(kind, rate_rps=rate_rps)
    assert found.passed is True
    assert found.message == "requests began as asked"
    assert len(found.results) == (4 if kind == "constant" else 5)


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_a_random_share_of_the_samples_passes_too(kind: str) -> None:
    assert open_loop(kind, keep=0.25).passed is True


@pytest.mark.parametrize("kind", ["constant", "poisson"])
@pytest.mark.parametrize("late_ns", [20 * NS_PER_US, 3 * NS_PER_MS])
def test_of_very_many_arrivals_some_rounds_are_looked_at(
    kind: str, late_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadgen.measure.checks.beginnings._ENOUGH", 3_000)
    found = open_loop(kind, lambda times: RNG.exponential(late_ns, len(times)))
    assert found.passed is (late_ns < NS_PER_MS)


def test_lateness_that_harms_nobody_passes_however_certain_it_is() -> None:
    """20 µs of a millisecond."""
    found = open_loop("poisson", lambda times: np.where(np.arange(len(times)) % 2, 20.0 * NS_PER_US, 0))
    assert found.passed is True


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_late_beginnings_fail(kind: str) -> None:
    found = open_loop(kind, lambda times: RNG.exponential(3 * NS_PER_MS, len(times)))
    assert found.passed is False
    assert not found.has_warning
    assert "% (persistent) of the arrivals began late" in found.message
    assert "% (persistent) of the arrivals came at other intervals than asked" in found.message


def test_an_even_delay_is_late_and_nothing_else() -> None:
    found = open_loop("constant", lambda times: np.full(len(times), 5.0 * NS_PER_MS))
    assert found.message == "100% (persistent) of the arrivals began late"


@pytest.mark.parametrize(("kind", "asked"), [("constant", "poisson"), ("poisson", "constant")])
def test_another_process_than_asked_fails(kind: str, asked: str) -> None:
    late = in_time
    if asked == "constant":  # due as asked, and begun as a Poisson process
        found = open_loop("constant", lambda times: RNG.uniform(0, NS_PER_MS, len(times)))
    else:
        found = open_loop(kind, late, asked=asked)
    assert found.passed is False
    assert "came at other intervals than asked" in found.message


def test_a_rate_that_rises_within_the_windows_fails() -> None:
    """As many as asked, but most of them late in each window."""
    found = open_loop("poisson", change=lambda times: np.sqrt(times / WINDOW_NS) * WINDOW_NS)
    assert found.passed is False
    assert "came at other times than asked" in found.message


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_a_number_of_arrivals_is_not_held_against_a_window_that_lasts_as_long_as_they_do(kind: str) -> None:
    found = open_loop(kind, change=lambda times: times[: len(times) // 2], requests=5_000)
    assert found.passed is True
    late = open_loop(kind, lambda times: RNG.exponential(3 * NS_PER_MS, len(times)), requests=5_000)
    assert "of the arrivals came at other intervals than asked" in late.message


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_half_as_many_as_asked_fail(kind: str) -> None:
    found = open_loop(kind, change=lambda times: times[::2])
    assert found.passed is False
    assert "the number of arrivals was 50% (persistent) away from rate × time" in found.message


def test_arrivals_that_never_began_have_a_warning_of_their_own() -> None:
    found = open_loop("constant", unstarted=30)
    assert found.passed is False
    assert found.has_warning
    assert found.message == "2% (persistent) of the arrivals never began"


def test_of_few_arrivals_nothing_is_told() -> None:
    assert open_loop("constant", rate_rps=10).results == []


def closed_loop(
    off_ns: Callable[[int], Times], *, users: int = 10, think_ns: int = 5 * NS_PER_MS, latency_ns: int = NS_PER_MS
) -> CheckOutcome:
    """Users that pause for the think time and `off_ns` more."""
    count = int(WINDOW_NS / (think_ns + latency_ns) / 2)
    at, user = [], []
    for number in range(users):
        at.append(number * 1e5 + np.cumsum(think_ns + latency_ns + off_ns(count)))
        user.append(np.full(count, number))
    order = np.argsort(np.concatenate(at))
    times, whose = np.concatenate(at)[order], np.concatenate(user)[order]
    run = simulated_run(
        [[np.full(len(times), latency_ns)] * ROUNDS], orders(1, ROUNDS, 0), load=Load(users=users, think_ns=think_ns),
        at_ns=[[times] * ROUNDS], user=[[whose] * ROUNDS],
    )  # fmt: skip
    return ARRIVALS.run(run)


def test_users_that_think_as_asked_pass() -> None:
    found = closed_loop(lambda size: RNG.exponential(50 * NS_PER_US, size))
    assert found.passed is True
    (only,) = found.results
    assert only["value"] is not None
    assert only["value"] < 0.01


def test_users_that_think_longer_fail() -> None:
    found = closed_loop(lambda size: np.where(np.arange(size) % 4, 0.0, 2.0 * NS_PER_MS))
    assert found.passed is False
    assert found.message == "25% (persistent) of the pauses differ from the think time"


def test_without_think_time_nothing_was_asked() -> None:
    run = simulated_run([[np.full(1_000, 1e6)] * ROUNDS], orders(1, ROUNDS, 0))
    assert ARRIVALS.run(run).results == []


def test_the_window_of_these_tests_is_that_of_a_run() -> None:
    assert NS_PER_S < WINDOW_NS < BLOCK_NS
