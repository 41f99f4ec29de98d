"""A sweep's summary: cells, comparisons within like loads, verdict; and latency by position on a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.summary.run import MAX_CURVES
from tests.support.synthetic import MS, US, Exchange, Link, RunWriter, full_run, plan_json, sweep_plan, sweep_run

Summary = dict[str, Any]


def made(directory: Path, **plan: Any) -> Summary:
    return sweep_run(directory / "run", sweep_plan(**plan)).summary()


def test_a_comparison_is_no_sweep(tmp_path: Path) -> None:
    assert full_run(tmp_path / "run").summary()["sweep"] is None


def test_axes_and_cells(tmp_path: Path) -> None:
    swept = made(tmp_path, policies="persistent,close", rate=(100.0, 2_000.0))["sweep"]
    assert swept["axes"] == {"rate": [100.0, 2_000.0]}
    assert swept["amortisation"] == []
    assert list(swept["cells"]) == ["persistent · 100/s", "persistent · 2,000/s", "close · 100/s", "close · 2,000/s"]
    assert swept["cells"]["close · 2,000/s"] == {
        "policy": "close", "base": "close", "users": None, "rate": 2_000.0, "recycle": None, "gap": None, "size": None,
        "tls_version": None, "groups": None, "requests": 1, "gap_ns": 0,
    }  # fmt: skip


def test_a_cell_s_base_is_what_the_plan_names(tmp_path: Path) -> None:
    cells = made(tmp_path, policies="abandon,ignore-close", recycle=("2", "inf"), gap=("1s",))["sweep"]["cells"]
    assert [one["base"] for one in cells.values()] == ["abandon", "abandon", "ignore-close", "ignore-close"]
    assert [(one["requests"], one["gap_ns"]) for one in cells.values()] == [(2, 1_000 * MS), (None, 1_000 * MS)] * 2


@pytest.mark.parametrize(
    ("plan", "pairs"),
    [
        ({"recycle": ("1", "5", "inf")}, [("recycle:inf", "recycle:1"), ("recycle:inf", "recycle:5")]),
        ({"gap": ("1s", "10ms")}, [("gap:10ms", "gap:1s")]),
        ({"users": (1, 9)}, []),
        (
            {"policies": "close,persistent", "users": (1, 9)},
            [("persistent · 1 user", "close · 1 user"), ("persistent · 9 users", "close · 9 users")],
        ),
    ],
)
def test_only_cells_under_the_same_load_compare(
    tmp_path: Path, plan: dict[str, Any], pairs: list[tuple[str, str]]
) -> None:
    found = made(tmp_path, **plan)["comparisons"]
    assert [(one["baseline"], one["candidate"]) for one in found] == pairs


def test_the_summary_is_strict_json(tmp_path: Path) -> None:
    found = made(tmp_path, recycle=("1", "2", "inf"), users=(1, 2))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(("cells", "drawn"), [(MAX_CURVES, True), (MAX_CURVES + 1, False)])
def test_percentiles_are_worked_out_where_they_are_drawn(tmp_path: Path, cells: int, drawn: bool) -> None:
    found = made(tmp_path, users=tuple(range(1, cells + 1)))
    for one in found["policies"].values():
        assert bool(one["latency_ns"]["curve"]) is drawn
        assert one["latency_ns"]["p50_ci95"] is not None
        assert one["latency_ns"]["p99_ci95"] is not None


# Verdict


def test_the_verdict_of_one_curve_has_its_intervals(tmp_path: Path) -> None:
    verdict = made(tmp_path, recycle=("1", "2", "10", "inf"))["verdict"]
    assert verdict.startswith("a request costs 120 µs [118, 122] plus 320 µs [320, 320] for each new connection")
    assert verdict.endswith("90% of what reuse saves is reached at K = 10 [10, 10]")


def test_the_verdict_without_a_curve_names_the_ends(tmp_path: Path) -> None:
    verdict = made(tmp_path, policies="persistent,close", users=(1, 2, 5, 50))["verdict"]
    assert verdict.startswith("the extremes of 4 differences: close · 1 user costs")
    assert "; close · 50 users costs" in verdict
    assert "2 users" not in verdict


def test_the_verdict_of_what_does_not_compare(tmp_path: Path) -> None:
    verdict = made(tmp_path, users=(1, 50))["verdict"]
    assert "(persistent · 1 user) to 221 µs (persistent · 50 users)" in verdict
    assert "75 req/s" in verdict


def test_many_alike_warnings_are_told_in_short(tmp_path: Path) -> None:
    plan = sweep_plan(rate=tuple(6_000.0 + number for number in range(10)), rounds=5)
    warnings = sweep_run(tmp_path / "run", plan).summary()["warnings"]
    # These arrivals are far too few for their rates.
    warnings = [one for one in warnings if one["code"] != "arrivals_not_as_asked"]
    assert [one["code"] for one in warnings] == ["arrivals_not_started"] * 4
    assert warnings[-1]["message"] == "the same holds for 7 more"


# Arrivals


def test_arrivals_are_what_was_due(tmp_path: Path) -> None:
    found = made(tmp_path, rate=(100.0, 6_000.0), policies="persistent")["policies"]
    calm, busy = found.values()
    assert calm["arrivals"] == {
        "due": 180, "unstarted": 0, "rate_rps": 100.0,
        "late_p50_ns": 3 * US, "late_p99_ns": 3 * US, "late_max_ns": 3 * US,
    }  # fmt: skip
    assert (busy["arrivals"]["due"], busy["arrivals"]["unstarted"], busy["unstarted"]) == (198, 18, 18)
    assert calm["phases_ns"]["queue"]["mean"] == 5 * US


def test_a_closed_loop_has_no_arrivals(tmp_path: Path) -> None:
    one = full_run(tmp_path / "run", "persistent").summary()["policies"]["persistent"]
    assert (one["arrivals"], one["unstarted"]) == (None, 0)


# By position


def positions(directory: Path, *links: Link, policy: str = "persistent", rounds: int = 3) -> list[dict[str, Any]]:
    writer = RunWriter(directory / "run", plan_json(policy, rounds))
    for number in range(rounds):
        writer.block(policy, number, links)
    found: list[dict[str, Any]] = writer.summary()["policies"][policy]["by_position"]
    return found


def test_positions_are_grouped_ever_wider(tmp_path: Path) -> None:
    found = positions(tmp_path, Link([Exchange(at, wait=at) for at in range(130)]))
    assert [(one["first"], one["last"]) for one in found] == [
        (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 130),
    ]  # fmt: skip
    assert [one["count"] for one in found] == [3, 3, 3, 3, 3, 15, 30, 90, 150, 90]


def test_a_position_is_the_cost_of_its_exchange_without_the_handshake(tmp_path: Path) -> None:
    found = positions(
        tmp_path, Link([Exchange(0, wait=500), Exchange(1, wait=100), Exchange(2, wait=300)], connect=9 * MS)
    )
    assert [one["exchange_mean_ns"] for one in found] == [15_500, 15_100, 15_300]
    assert [one["exchange_p50_ns"] for one in found] == [15_500, 15_100, 15_300]
    assert [one["ci95"] for one in found] == [[15_500] * 2, [15_100] * 2, [15_300] * 2]


def test_positions_of_the_warm_up_are_no_groups(tmp_path: Path) -> None:
    found = positions(tmp_path, Link([Exchange(-2), Exchange(-1), Exchange(0)]))
    assert [(one["first"], one["count"]) for one in found] == [(3, 3)]


def test_a_policy_without_reuse_has_no_positions(tmp_path: Path) -> None:
    one = full_run(tmp_path / "run", "close").summary()["policies"]["close"]
    assert one["by_position"] is None
