"""Cost by position on the connection: groups, their counts and their means, worked out by hand."""

from __future__ import annotations

from pathlib import Path

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.policy_samples import PolicySamples, policy_samples
from loadgen.measure.stats.positions import FIRSTS, by_position
from tests.support.synthetic import MS, US, Exchange, Link, RunWriter, plan_json

OTHERS_NS = 15 * US  # send and receive of an Exchange


def measured(samples: Samples, rounds: int) -> PolicySamples:
    return policy_samples(samples, 0, samples.by_policy()[0], rounds)


def run(directory: Path, requests: int, rounds: int = 2, first_at_ns: int = 0) -> Samples:
    """One connection a block; a request waits 100 µs less for each position, down to 60 µs."""
    writer = RunWriter(directory / "run", plan_json("persistent", rounds))
    for number in range(rounds):
        exchanges = [Exchange(first_at_ns + at * MS, wait=max(60, 100 - at) * US) for at in range(requests)]
        writer.block("persistent", number, [Link(exchanges, slot=0, connect=900 * US)])
    samples: Samples = writer.settle()
    return samples


def test_groups_begin_where_they_are_meant_to(tmp_path: Path) -> None:
    found = by_position(measured(run(tmp_path, 120), 2))
    assert tuple(group["first"] for group in found) == FIRSTS
    assert [group["last"] for group in found] == [1, 2, 3, 4, 5, 10, 20, 50, 100, 120]
    assert [group["count"] for group in found] == [2, 2, 2, 2, 2, 10, 20, 60, 100, 40]


def test_the_handshake_is_left_out(tmp_path: Path) -> None:
    first, second, *_ = by_position(measured(run(tmp_path, 5), 2))
    assert first["exchange_mean_ns"] == first["exchange_p50_ns"] == 100 * US + OTHERS_NS
    assert second["exchange_mean_ns"] == 99 * US + OTHERS_NS
    assert first["ci95"] == [first["exchange_mean_ns"]] * 2, "both rounds are alike"


def test_positions_of_the_warm_up_are_left_out(tmp_path: Path) -> None:
    found = by_position(measured(run(tmp_path, 5, first_at_ns=-2 * MS), 2))
    assert [group["first"] for group in found] == [3, 4, 5]


def test_a_single_round_has_no_interval(tmp_path: Path) -> None:
    assert [group["ci95"] for group in by_position(measured(run(tmp_path, 2, rounds=1), 1))] == [None, None]


def test_the_count_is_that_of_all_samples_though_some_are_gone(tmp_path: Path) -> None:
    thin = run(tmp_path, 100).thinned(100, seed=1)
    found = by_position(measured(thin, 2))
    assert sum(group["count"] for group in found) == 200
