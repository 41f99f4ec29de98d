"""Run against run: two like runs differ in nothing, what was added is found, and several old runs show their spread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loadgen.measure.diff.diff_verdict import ONE_RUN_EACH, any_change
from loadgen.measure.diff.run_diff import diff_runs
from tests.support.simulated_diffs import MEANS_NS, ROUNDS, run
from tests.support.summary_schema import check_diff

MS = 1_000_000
PAIRS = 40
FEW = 6
"""Of 40, at a rate of 5 %: as many or fewer in 99.7 % of all tries."""


def test_like_runs_differ_in_nothing() -> None:
    random = np.random.default_rng(1)
    assert sum(any_change(diff_runs([run(random)], run(random))) for _ in range(PAIRS)) <= FEW


def test_what_was_added_lies_within_the_interval() -> None:
    random, inside, certain = np.random.default_rng(2), 0, 0
    for _ in range(PAIRS):
        change = diff_runs([run(random)], run(random, added_ns=MS))["policies"]["persistent"]["latency_ns"]["mean"]
        assert change["delta_ci95"] is not None
        inside += change["delta_ci95"][0] <= MS <= change["delta_ci95"][1]
        certain += change["is_certain"]
    assert certain == PAIRS
    assert inside >= PAIRS - FEW


def test_one_run_each_can_not_show_how_runs_differ_and_several_can() -> None:
    random, alone, several = np.random.default_rng(3), 0, 0
    for _ in range(PAIRS):
        old = [run(random, run_spread=0.1) for _ in range(5)]
        new = run(random, run_spread=0.1)
        alone += any_change(diff_runs(old[:1], new))
        several += any_change(diff_runs(old, new))
    assert alone > PAIRS / 4, "what the verdict of such a diff warns of"
    assert several <= FEW


def test_a_slower_machine_is_no_change() -> None:
    random, found = np.random.default_rng(3), 0
    for _ in range(PAIRS):
        diff = diff_runs([run(random)], run(random, slowness=1.3))
        found += any_change(diff)
        assert diff["machine"] is not None
        assert diff["machine"]["moved"] == pytest.approx(np.log(1.3), rel=0.01)
        assert diff["verdict"][-1].startswith("the machine itself changed: the generator's own work per request ")
    assert found <= FEW


def test_a_target_that_is_slower_by_as_much_is_a_change() -> None:
    random = np.random.default_rng(3)
    assert any_change(diff_runs([run(random)], run(random, added_ns=300_000)))


def test_a_run_that_knows_no_own_work_has_no_control() -> None:
    random = np.random.default_rng(3)
    old = run(random)
    new = run(random)
    policies = {**old.policies, "close": replace(old.policies["close"], own_mean_ns=None)}
    assert diff_runs([replace(old, policies=policies)], new)["machine"] is None


def test_a_diff_fits_its_schema_and_says_what_changed() -> None:
    random = np.random.default_rng(4)
    diff = diff_runs([run(random)], run(random, added_ns=MS))
    check_diff(diff)
    assert diff["spread"] == "rounds"
    assert diff["unlike"] == []
    persistent, close = (diff["policies"][name] for name in ("persistent", "close"))
    assert (persistent["old_rounds"], persistent["new_rounds"]) == (ROUNDS, ROUNDS)
    mean = persistent["latency_ns"]["mean"]
    assert mean["old"] == pytest.approx(MEANS_NS[0], rel=0.1)
    assert mean["delta"] == pytest.approx(MS, rel=0.1)
    assert mean["ratio"] == pytest.approx(2, rel=0.1)
    assert persistent["phases_ns"]["wait"]["is_certain"]
    assert list(persistent["phases_ns"]) == ["wait"], "a phase that never happened is left out"
    assert (persistent["reuse_ratio"]["old"], close["reuse_ratio"]["new"]) == (1, 0)
    assert not persistent["reuse_ratio"]["is_certain"]
    (comparison,) = diff["comparisons"]
    assert comparison["latency_mean_ratio"]["old"] == pytest.approx(2, rel=0.1)
    assert comparison["latency_mean_ratio"]["new"] == pytest.approx(1.5, rel=0.1)
    assert comparison["latency_mean_ratio"]["is_certain"]
    first, _, third, last = diff["verdict"]
    assert first.startswith("persistent: the mean latency is ")
    assert " higher (" in first
    assert "changed too: p50, p99, wait" in first
    assert third.startswith("close / persistent: mean latency 1.48× now, 2.01× before; changed (")
    assert last == ONE_RUN_EACH


def test_a_policy_that_a_run_lacks_is_left_out() -> None:
    random = np.random.default_rng(5)
    old, new = run(random), run(random)
    del new.policies["close"]
    diff = diff_runs([old], new)
    check_diff(diff)
    assert list(diff["policies"]) == ["persistent"]
    assert diff["left_out"] == ["close"]
    assert diff["comparisons"] == []
    assert diff["verdict"][-1] == "close: not answered in each of the runs"


def test_a_run_of_one_round_has_no_interval() -> None:
    random = np.random.default_rng(6)
    old, new = run(random), run(random)
    for one in new.policies.values():
        one.measured.requests[1:] = 0
    mean: Any = diff_runs([old], new)["policies"]["persistent"]["latency_ns"]["mean"]
    assert mean["delta_ci95"] is mean["ratio_ci95"] is mean["p_value"] is None
    assert not mean["is_certain"]
