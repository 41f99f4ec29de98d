"""Times at which arrivals are due: those of several workers are together what one would have."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from loadgen.drive.open_loop.due_times import due_ns
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.split import shares
from loadgen.model.target import parse_target
from tests.support.plans import URL

S_NS = 1_000_000_000


def shares_of(rate_rps: float, processes: int, arrivals: str = "constant") -> list[Load]:
    load = Load(rate_rps=rate_rps, arrivals=arrivals)
    plan = Plan(parse_target(URL), parse_policies("persistent"), load, processes=processes)
    return [part.load for part in shares(plan)]


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_constant_arrivals_of_all_workers_are_those_of_one(processes: int) -> None:
    dues = sorted(
        due
        for part in shares_of(600.0, processes)
        for due in itertools.islice(due_ns(part.rate_rps, part.arrivals, 7), 100)
    )
    alone = itertools.islice(due_ns(600.0, "constant", 7), 100 * processes)
    assert all(abs(one - other) <= 1 for one, other in zip(dues, alone, strict=True))


def test_poisson_arrivals_of_each_worker_are_its_own() -> None:
    parts = shares_of(3_000.0, 3, "poisson")
    dues = [list(itertools.islice(due_ns(part.rate_rps, part.arrivals, 7), 20_000)) for part in parts]
    for one in dues:
        assert one[-1] == pytest.approx(20 * S_NS, rel=0.03)
    assert len(set(dues[0]) & set(dues[1])) < 20
    # The sum of Poisson processes is one: the variance of its counts is their mean.
    merged = np.concatenate([np.array(one)[np.array(one) < 18 * S_NS] for one in dues])
    counts = np.bincount(merged // (S_NS // 100))
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.15)
    again = list(itertools.islice(due_ns(parts[1].rate_rps, parts[1].arrivals, 7), 20_000))
    assert again == dues[1]


def first(number: int, rate_rps: float, arrivals: str, seed: int = 1) -> list[int]:
    return list(itertools.islice(due_ns(rate_rps, arrivals, seed), number))


@pytest.mark.parametrize("rate_rps", [0.5, 3.0, 1000.0, 30_000.0])
def test_constant_arrivals_keep_their_distance_for_ever(rate_rps: float) -> None:
    dues = first(1000, rate_rps, "constant")
    assert dues[0] == 0
    assert all(abs(due - number * S_NS / rate_rps) <= 1 for number, due in enumerate(dues))


def test_poisson_arrivals_have_exponential_distances() -> None:
    distances = np.diff([0, *first(20_000, 1000, "poisson")]) / 1e9
    assert (distances >= 0).all()
    assert distances.mean() == pytest.approx(1 / 1000, rel=0.03)
    assert distances.std() == pytest.approx(1 / 1000, rel=0.05)
    # An exponential distance exceeds its mean with probability 1/e.
    assert (distances > 1 / 1000).mean() == pytest.approx(np.exp(-1), abs=0.02)


def test_one_seed_gives_one_stream_of_arrivals() -> None:
    assert first(50, 10, "poisson", 7) == first(50, 10, "poisson", 7) != first(50, 10, "poisson", 8)
