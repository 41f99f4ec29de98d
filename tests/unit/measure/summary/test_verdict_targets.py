"""Several targets in a summary: what is compared with what, what the verdict says, and what gates may ask."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.stats.comparison import pairs
from loadgen.measure.summary.run_gates import judge_gates, resolve_gates
from loadgen.measure.summary.verdict_differences import difference_sentence
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from tests.support.synthetic import MS, US, targets_run


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return targets_run(tmp_path_factory.mktemp("run") / "run", {"old": 0, "new": 10 * MS}).summary()


def test_each_policy_knows_its_target(summary: Any) -> None:
    assert {name: one["target"] for name, one in summary["policies"].items()} == {
        "persistent · old": "old", "persistent · new": "new", "close · old": "old", "close · new": "new",
    }  # fmt: skip


def test_policies_compare_between_targets_and_on_each(summary: Any) -> None:
    plan = Plan.from_json(summary["plan"])
    assert list(pairs(plan.cells, swept=False)) == [
        ("persistent · old", "persistent · new"), ("close · old", "close · new"),
        ("persistent · old", "close · old"), ("persistent · new", "close · new"),
    ]  # fmt: skip


def test_the_verdict_has_a_line_for_each_difference(summary: Any) -> None:
    between, on = summary["verdict_lines"][:2], summary["verdict_lines"][2:4]
    for line, policy in zip(between, ("persistent", "close"), strict=True):
        assert line.startswith(f"{policy}: new costs 10.0 ms more per request on average [")
        assert " than old, " in line
        assert line.endswith("; 100% of that is waiting for the response")
    for line, target in zip(on, ("old", "new"), strict=True):
        assert line.startswith(f"on {target}: close costs ")
        assert " more per request on average [" in line
        assert " than persistent" in line
    assert len(summary["verdict_lines"]) == 4


def test_many_differences_are_told_by_their_extremes(tmp_path: Path) -> None:
    later = {name: place * MS for place, name in enumerate("abcdefgh")}
    lines = targets_run(tmp_path / "run", later, "persistent", 2).summary()["verdict_lines"]
    assert lines[0].startswith("the extremes of 7 differences: persistent: h costs 7.00 ms more")
    assert lines[1].startswith("persistent: b costs 1.00 ms more")


@pytest.mark.parametrize(("later_ns", "least", "most"), [(200 * US, 10, 12), (0, 0, 1)])
def test_a_known_delay_is_told_within_its_interval_and_none_is_not(
    tmp_path: Path, later_ns: int, least: int, most: int
) -> None:
    """Of 12 runs with noise: differences that are claimed, and intervals that hold the delay."""
    noise = random.Random(5)
    claimed = held = 0
    for number in range(12):
        one = targets_run(
            tmp_path / str(number), {"a": 0, "b": later_ns}, "close", 6,
            # Each block has noise of its own beside that of each request.
            noise=_noise(noise),
        ).summary()["comparisons"][0]  # fmt: skip
        low, high = one["latency_mean_delta_ci95"]
        held += low <= later_ns <= high
        claimed += one["is_certain"]
    assert least <= claimed <= most
    assert held >= 10


def _noise(source: random.Random) -> Any:
    level = [0, 0]

    def draw() -> int:
        level[1] += 1
        if level[1] % 50 == 1:
            level[0] = source.randrange(60 * US)
        return level[0] + source.randrange(10 * US)

    return draw


@pytest.mark.parametrize(
    ("path", "subjects"),
    [
        ("persistent · new.latency.p99", ["persistent · new"]),
        ("new.persistent.latency.p99", ["persistent · new"]),
        ("new.latency.p99", ["persistent · new", "close · new"]),
        ("close.latency.p99", ["close · old", "close · new"]),
        ("new/old.latency_mean_delta", ["persistent · new/persistent · old", "close · new/close · old"]),
        ("close.new/old.latency_mean_delta", ["close · new/close · old"]),
        ("close/persistent.latency_mean_delta", ["close · old/persistent · old", "close · new/persistent · new"]),
        ("new.close/persistent.latency_mean_delta", ["close · new/persistent · new"]),
        ("close · new/persistent · new.latency_mean_delta", ["close · new/persistent · new"]),
    ],
)
def test_a_gate_names_a_target_a_policy_or_both(summary: Any, path: str, subjects: list[str]) -> None:
    plan = Plan.from_json(summary["plan"])
    (gate,) = resolve_gates(plan, [f"{path} > 1s"])
    assert list(gate.subjects) == subjects
    assert gate.names_one == (len(subjects) == 1)
    (judged,) = judge_gates([gate], summary)
    assert judged["passed"]


def test_a_gate_of_a_target_fails_by_its_value(summary: Any) -> None:
    plan = Plan.from_json(summary["plan"])
    gates = resolve_gates(plan, ["new.latency.mean > 5ms", "old.latency.mean > 5ms", "new/old.latency_mean_ratio > 2"])
    assert [one["passed"] for one in judge_gates(gates, summary)] == [False, True, False]
    with pytest.raises(PlanError, match="did you mean 'new'"):
        resolve_gates(plan, ["nev.latency.mean > 5ms"])


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.85, "85%"), (0.9979, "nearly all"), (1, "100%"), (1.002, "all"), (1.01, "more than all")],
)
def test_100_percent_of_a_difference_is_all_of_it(summary: Any, share: float, words: str) -> None:
    comparison = summary["comparisons"][0]
    total = comparison["latency_mean_delta_ns"]
    changed = comparison | {
        "phase_deltas_mean_ns": {"wait": round(share * total), "send": total - round(share * total)}
    }
    sentence = difference_sentence(changed, summary["policies"], 1)
    assert sentence.endswith(f"; {words} of that is waiting for the response")
