"""The floor of this machine in tables, charts and verdict of a run that recorded its calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.stats.floor import exchange_floor_ns, within_floor
from loadgen.measure.summary.verdict_floor import floor_clauses
from loadgen.measure.warnings.floor import floor_warnings
from loadgen.show import tables
from loadgen.show.charts import figure
from loadgen.show.export.html import render
from tests.support.calibrations import US, calibration
from tests.support.summaries import policy_summary
from tests.support.synthetic import ENVIRONMENT, MS, TLS, Exchange, Link, RunWriter, plan_json


def run(folder: Path, record: Any) -> Any:
    """`close` costs 0.3 ms more in every round: a handshake of 0.2 ms, and 0.1 ms of waiting."""
    environment = ENVIRONMENT if record is None else {**ENVIRONMENT, "calibration": record}
    writer = RunWriter(folder / "run", plan_json(rounds=6), environment=environment)
    for number in range(6):
        jitter = number % 3 * US
        kept = Link([Exchange(at_ns=at * MS, wait=100 * US + jitter) for at in range(5)])
        writer.block("persistent", number, [kept])
        links = [
            Link([Exchange(at_ns=at * MS, wait=200 * US + jitter)], connect=50 * US, tls=150 * US, flags=TLS)
            for at in range(5)
        ]
        writer.block("close", number, links)
    return writer.summary()


def codes(summary: Any) -> list[str]:
    return [warning["code"] for warning in summary["warnings"]]


def test_without_a_calibration_nothing_is_said(tmp_path: Path) -> None:
    summary = run(tmp_path, None)
    assert "within_floor" not in codes(summary)
    assert [row[0] for row in tables.phases(summary).rows] == ["persistent", "close"]
    assert tables.floor_note(summary) == ""
    assert not any("floor" in str(label) for label in legend(summary))


def legend(summary: Any) -> list[str]:
    (axes,) = figure("phases", summary).axes
    return list(axes.get_legend_handles_labels()[1])


def test_a_difference_above_the_floor_is_only_shown_beside_it(tmp_path: Path) -> None:
    summary = run(tmp_path, calibration())
    assert "within_floor" not in codes(summary)
    assert "floor" not in summary["verdict"]
    headings, rows = tables.phases(summary)
    assert [dict(zip(headings, row, strict=True)) for row in rows[2:]] == [
        {"policy": "floor of this machine", "connect": "40.0 µs", "tls": "600 µs", "send": "6.00 µs", "wait": "12.0 µs",
         "receive": "1.00 µs"},
        {"policy": "error of a stamp", "connect": "± 30.0 µs", "tls": "± 90.0 µs", "send": "–", "wait": "± 20.0 µs",
         "receive": "–"},
    ]  # fmt: skip
    page = render(summary, {})
    assert "from loadgen calibrate of 2026-01-02T03:04:05+00:00" in page
    assert "by the kernel&#x27;s own stamps" in page
    assert ("calibrated", "2026-01-02T03:04:05+00:00") in tables.environment(summary).rows
    assert "floor of this machine" in legend(summary)
    assert exchange_floor_ns(calibration()) == 19 * US


def test_a_difference_below_the_floor_is_not_believed(tmp_path: Path) -> None:
    summary = run(tmp_path, calibration(connect_ns=100 * US, tls_ns=150 * US, send_wait_ns=60 * US))
    (found,) = [one for one in summary["warnings"] if one["code"] == "within_floor"]
    assert found["message"] == (
        "close against persistent: the difference of 300 µs is within the floor of this machine, 310 µs, so it may be "
        "the generator's"
    )
    assert "; this difference is within the floor of this machine (310 µs)" in summary["verdict"]


def difference(candidate: str, *, delta_ns: int, is_certain: bool = True) -> Any:
    return {
        "baseline": "persistent", "candidate": candidate, "latency_mean_delta_ns": delta_ns, "is_certain": is_certain,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("below", "clauses"),
    [
        ((), []),
        (("a",), ["within the floor of this machine: the difference of a (1.04 ms)"]),
        (
            ("a", "b"),
            ["within the floor of this machine: the difference of a (1.04 ms) and b (1.04 ms)"],
        ),
        (("a", "b", "c"), ["3 of 4 differences are within the floor of this machine: see the warnings"]),
    ],
)
def test_several_differences_make_one_clause(below: tuple[str, ...], clauses: list[str]) -> None:
    """Only those that are certain are taken back; savings as well as costs."""
    comparisons = [difference(name, delta_ns=-900 * US if name == "a" else 900 * US) for name in below]
    comparisons += [difference("d", delta_ns=1_100 * US), difference("e", delta_ns=0, is_certain=False)]
    policies = {name: policy_summary() for name in ("persistent", *"abcde")}
    found = within_floor(calibration(send_wait_ns=1_040 * US), comparisons, policies)
    assert [one.comparison["candidate"] for one in found] == list(below)
    assert len(list(floor_warnings(found))) == len(below)
    assert floor_clauses(found, policies, 4) == clauses
