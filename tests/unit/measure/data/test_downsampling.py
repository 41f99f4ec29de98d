"""A share of the samples in place of all: what is counted stays exact, and what is estimated says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.rows import Samples
from loadgen.measure.data.store import RunStore
from loadgen.measure.summary.run import summarise
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.synthetic import ENVIRONMENT, MS, US, Exchange, Link, RunWriter, full_run, plan_json, summary_of

POLICIES = ("persistent", "close")
EXACT = (
    "started", "requests", "unfinished", "errors", "statuses", "seconds", "answered", "throughput_rps",
    "throughput_rps_ci95", "connections",
)  # fmt: skip


def run(directory: Path, **plan: Any) -> Samples:
    """Six blocks of unlike size with answers, errors and unfinished requests, each request with its own time."""
    writer = RunWriter(directory, plan_json(rounds=3, **plan))
    random = np.random.default_rng(1)
    for number in range(3):
        for policy in POLICIES:
            size = 400 * (number + 1) if policy == "persistent" else 90
            outcomes = random.choice([200, 200, 200, 503, -ErrorKind.TRUNCATED, -ErrorKind.UNFINISHED], size)
            exchanges = [
                Exchange(at * 100 * US, wait=int(wait), outcome=int(outcome))
                for at, (wait, outcome) in enumerate(zip(random.gamma(4, 9_000, size), outcomes, strict=True))
            ]
            step = size if policy == "persistent" else 3
            links = [Link(exchanges[at : at + step], slot=0, connect=30 * US) for at in range(0, size, step)]
            writer.block(policy, number, links, **({"due": size, "unstarted": 0} if plan else {}))
    found: Samples = writer.settle()
    return found


def summary(samples: Samples, **plan: Any) -> dict[str, Any]:
    return summarise("run", samples, plan_json(rounds=3, **plan), ENVIRONMENT, [])


@pytest.mark.parametrize("most", [0, 1, 50, 1_000])
@pytest.mark.parametrize("plan", [{}, {"rate_rps": 1_000.0}], ids=["users", "arrivals"])
def test_counts_of_thinned_samples_are_those_of_all(tmp_path: Path, most: int, plan: dict[str, Any]) -> None:
    samples = run(tmp_path / "run", **plan)
    thin = samples.thinned(most, seed=3)
    assert len(thin) < len(samples)
    all_of, some = summary(samples, **plan), summary(thin, **plan)
    for name in POLICIES:
        one, other = all_of["policies"][name], some["policies"][name]
        for key in EXACT:
            assert other[key] == one[key], key
        assert other["generator"]["cpu_ns_per_request"] == one["generator"]["cpu_ns_per_request"]
        assert other["started"] == other["requests"] + sum(other["errors"].values()) + other["unfinished"]
        counts = [{phase: found["count"] for phase, found in side["phases_ns"].items()} for side in (one, other)]
        assert counts[0] == counts[1]
    throughputs = [[block["throughput_rps"] for block in side["blocks"]] for side in (all_of, some)]
    assert throughputs[0] == throughputs[1]
    assert [block["started"] for block in some["blocks"]] == [block["started"] for block in all_of["blocks"]]


def test_every_block_keeps_the_same_share_and_all_that_failed(tmp_path: Path) -> None:
    samples = run(tmp_path / "run")
    complete = int(np.count_nonzero(samples.columns["error"] == ABSENT))
    thin = samples.thinned(complete // 5, seed=1)
    assert np.count_nonzero(thin.columns["error"] == ABSENT) == pytest.approx(complete // 5, abs=6)
    failed = samples.columns["error"] != ABSENT
    assert np.array_equal(
        thin.columns["scheduled"][thin.columns["error"] != ABSENT], samples.columns["scheduled"][failed]
    )
    for block in thin.blocks:
        counted = block["counted"]
        assert counted["kept"] == pytest.approx(counted["requests"] / 5, abs=1)
        assert sum(counted["statuses"].values()) == counted["requests"]


def test_the_share_is_drawn_at_random(tmp_path: Path) -> None:
    """Of 1,000 draws of a fifth, each sample is in about 200."""
    samples = run(tmp_path / "run")
    complete = samples.of(samples.columns["error"] == ABSENT)
    times = np.zeros(int(complete.columns["connection"].max()) + 1)
    sizes = np.bincount(complete.columns["connection"])
    for seed in range(60):
        times += np.bincount(complete.thinned(len(complete) // 5, seed).columns["connection"], minlength=len(times))
    for number in np.flatnonzero(sizes > 200):  # the connections of three persistent blocks
        assert times[number] / 60 / sizes[number] == pytest.approx(0.2, abs=0.02)
    first, again, other = (complete.thinned(300, seed).columns["scheduled"].tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_percentiles_of_a_share_are_near_those_of_all(tmp_path: Path) -> None:
    samples = run(tmp_path / "run")
    all_of, some = (summary(one)["policies"]["persistent"] for one in (samples, samples.thinned(800, 5)))
    assert some["latency_ns"]["p50"] != all_of["latency_ns"]["p50"]
    assert some["latency_ns"]["p50"] == pytest.approx(all_of["latency_ns"]["p50"], rel=0.1)
    positions = [sum(one["count"] for one in side["by_position"]) for side in (all_of, some)]
    assert positions[0] == pytest.approx(positions[1], abs=5)


def test_a_reader_is_told(tmp_path: Path) -> None:
    samples = run(tmp_path / "run")
    thin = samples.thinned(100, 1)
    found = {warning["code"]: warning["message"] for warning in summary(thin)["warnings"]}
    kept, complete = (np.count_nonzero(one.columns["error"] == ABSENT) for one in (thin, samples))
    assert f"come from {kept} of {complete:,} samples" in found["samples_thinned"]
    assert "samples_thinned" not in {warning["code"] for warning in summary(samples)["warnings"]}


def test_few_samples_stay_as_they_are(tmp_path: Path) -> None:
    samples = run(tmp_path / "run")
    assert samples.thinned(len(samples), 1) is samples


def test_thinning_again_remembers_what_there_was_at_first(tmp_path: Path) -> None:
    samples = run(tmp_path / "run")
    once, twice = samples.thinned(600, 1), samples.thinned(600, 1).thinned(200, 2)
    for one, other in zip(once.blocks, twice.blocks, strict=True):
        assert {**one["counted"], "kept": 0} == {**other["counted"], "kept": 0}
        assert other["counted"]["kept"] < one["counted"]["kept"]
    assert summary(twice)["policies"]["close"]["requests"] == summary(samples)["policies"]["close"]["requests"]


def test_what_was_thinned_is_saved_and_read_as_it_is(tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run")
    thin = writer.settle().thinned(300, 1)
    writer.store._save(thin)
    store = RunStore.open(tmp_path / "run")
    assert summary_of(store, store.load_samples(POLICIES)) == summary_of(store, thin)


def test_a_block_without_complete_samples(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=1))
    writer.block("persistent", 0, [Link([Exchange(at * MS) for at in range(100)])])
    writer.block("close", 0, [Link([Exchange(outcome=-ErrorKind.TRUNCATED)])])
    thin = writer.settle().thinned(10, 1)
    assert [block["counted"]["requests"] for block in thin.blocks] == [100, 0]
    assert len(thin) == 11
