"""The state of a run that goes on: reports of blocks, merged, say what the summary will say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.live.live import Live
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.block_reporter import Reporter
from tests.support.synthetic import (
    ENVIRONMENT,
    MS,
    US,
    WINDOW_NS,
    Exchange,
    Link,
    cell_names,
    links,
    plan_json,
)

POLICIES = ("persistent", "close")


Reporters = Callable[..., Reporter]


@pytest.fixture
def reporter_of(tmp_path: Path) -> Iterator[Reporters]:
    """Makes reporters, each in a folder of its own; their files are closed with the test."""
    made = []

    def make(plan: dict[str, Any], name: str = "run") -> Reporter:
        made.append(Reporter(tmp_path / name, plan))
        return made[-1]

    yield make
    for reporter in made:
        with suppress(ValueError):  # closed by the test
            reporter.writer.recorder.close()


def test_live_figures_are_those_of_the_summary(reporter_of: Reporters) -> None:
    plan = plan_json()
    reporters = [reporter_of(plan, name) for name in ("one", "other")]
    live = Live(cell_names(plan))
    assert live.summary("run", plan, ENVIRONMENT, []) is None
    for number in range(5):
        for policy in POLICIES:
            for name, reporter in enumerate(reporters):
                live.take(str(name), "Users", reporter.block(policy, number, links(policy, number))[0])
    assert live.blocks == 10
    found = live.summary("run", plan | {"users": 4}, ENVIRONMENT, [])  # two users each
    assert found is not None
    truth = reporters[0].writer.summary()  # both measured the same
    for policy in POLICIES:
        mine, his = found["policies"][policy], truth["policies"][policy]
        for count in ("started", "requests", "unfinished"):
            assert mine[count] == 2 * his[count]
        for count in ("opened", "ideal", "exchanges_with_warmup"):
            assert mine["connections"][count] == 2 * his["connections"][count]
        assert mine["throughput_rps"] == pytest.approx(2 * his["throughput_rps"])
        for name in ("mean", "max"):
            assert mine["latency_ns"][name] == his["latency_ns"][name]
        for name in ("p50", "p90", "p99"):
            assert mine["latency_ns"][name] == pytest.approx(his["latency_ns"][name], rel=0.005)
        for phase, one in his["phases_ns"].items():
            assert mine["phases_ns"][phase]["mean"] == one["mean"]
            assert mine["phases_ns"][phase]["count"] == 2 * one["count"]
    assert found["comparisons"][0]["latency_p50_delta_ns"] == pytest.approx(
        truth["comparisons"][0]["latency_p50_delta_ns"], rel=0.01
    )
    assert found["verdict"].startswith("close costs")


def test_a_large_block_is_reported_by_a_share_with_exact_counts(reporter_of: Reporters) -> None:
    plan = plan_json()
    reporter, live = reporter_of(plan), Live(cell_names(plan))
    made = [Link([Exchange(at * 10 * US, wait=(100 + at % 50) * US) for at in range(3_000)]) for _ in range(2)]
    made[0].exchanges[-1].outcome = -ErrorKind.TRUNCATED
    report, _ = reporter.block("persistent", 0, made)
    assert len(report["share"]["scheduled"]["data"]) < 10_000
    assert report["errors"] == {"truncated": 1}
    live.take("0", "Users", report)
    live.take("0", "Users", report)  # a message that comes twice counts once
    found = live.summary("run", plan, ENVIRONMENT, [])
    assert found is not None
    one = found["policies"]["persistent"]
    assert one["requests"] == 5_999
    assert one["errors"] == {"truncated": 1}
    assert one["started"] == 6_000
    assert (
        one["phases_ns"]["wait"]["mean"]
        == reporter.writer.summary()["policies"]["persistent"]["phases_ns"]["wait"]["mean"]
    )


def test_verdict_and_warnings_go_by_what_the_table_shows(reporter_of: Reporters) -> None:
    """Few requests of a slow block weigh as much in the reports' shares as the many of a fast one."""
    plan = plan_json()
    reporter, live = reporter_of(plan), Live(cell_names(plan))
    for number, (requests, wait) in enumerate([(3_000, 100), (3_000, 100), (400, 900), (400, 900), (400, 900)]):
        for policy, more in (("persistent", 0), ("close", 100)):
            made = Link([Exchange(at * 10 * US, wait=(wait + more) * US, lag=60 * US) for at in range(requests)])
            live.take("0", "Users", reporter.block(policy, number, [made], cpu_ns=WINDOW_NS // 2 + 1)[0])
    found = live.summary("run", plan, ENVIRONMENT, [])
    assert found is not None
    (one,) = found["comparisons"]
    for key in ("mean", "p50"):
        base, other = (found["policies"][policy]["latency_ns"][key] for policy in POLICIES)
        assert one[f"latency_{key}_delta_ns"] == other - base
        assert one[f"latency_{key}_ratio"] == other / base
        low, high = one[f"latency_{key}_delta_ci95"]
        assert low <= other - base <= high
    assert base == pytest.approx(115 * US, rel=0.005)  # the median of the shares is 915 µs
    assert found["verdict"].startswith("close costs 100 µs more per request on average [")
    lagging = [one["message"] for one in found["warnings"] if one["code"] == "generator_saturated"]
    assert lagging[0].startswith(f"persistent: up to 60.0 µs of the median latency of {base / 1e3:.0f} µs")


def test_of_a_long_run_groups_of_rounds_are_kept_and_all_is_counted(reporter_of: Reporters) -> None:
    rounds, plan = 150, plan_json(rounds=150)
    reporter, live = reporter_of(plan), Live(cell_names(plan))
    bad = Link([Exchange(MS, outcome=-ErrorKind.TRUNCATED)])
    for number in range(rounds):
        for policy in POLICIES:
            live.take("0", "Users", reporter.block(policy, number, [*links(policy, number % 7, 20), bad])[0])
    found = live.summary("run", plan, ENVIRONMENT, [])
    assert found is not None
    truth = reporter.writer.summary()
    for policy in POLICIES:
        one, exact = found["policies"][policy], truth["policies"][policy]
        for count in ("started", "requests", "errors", "throughput_rps", "blocks", "seconds"):
            assert one[count] == pytest.approx(exact[count])  # type: ignore[literal-required] # its keys
        for key in ("opened", "ideal", "reuse_ratio", "endings"):
            assert one["connections"][key] == exact["connections"][key]  # type: ignore[literal-required] # as above
        assert one["latency_ns"]["mean"] == exact["latency_ns"]["mean"]
        assert one["latency_ns"]["p99"] == pytest.approx(exact["latency_ns"]["p99"], rel=0.005)
        assert one["generator"]["cpu_share"] == pytest.approx(exact["generator"]["cpu_share"])
    blocks = found["blocks"]
    assert live.blocks == 2 * rounds
    assert len(blocks) == 2 * 38  # four rounds a group
    assert [one["round"] for one in blocks if one["policy"] == "close"] == list(range(0, rounds, 4))
    assert sum(one["exchanges"] for one in blocks) == sum(one["exchanges"] for one in truth["blocks"])
    (mine,), (exact,) = found["comparisons"], truth["comparisons"]
    assert mine["latency_mean_delta_ns"] == pytest.approx(exact["latency_mean_delta_ns"], abs=1)


def test_each_block_has_the_figures_of_the_summary(reporter_of: Reporters) -> None:
    plan = plan_json()
    reporter, live = reporter_of(plan), Live(cell_names(plan))
    for number in range(5):
        for policy in POLICIES:
            live.take("0", "Users", reporter.block(policy, number, links(policy, number))[0])
    found = live.summary("run", plan, ENVIRONMENT, [])
    assert found is not None
    for mine, exact in zip(found["blocks"], reporter.writer.summary()["blocks"], strict=True):
        for key in (
            "index",
            "round",
            "policy",
            "throughput_rps",
            "latency_mean_ns",
            "reuse_ratio",
            "handshake_mean_ns",
        ):
            assert mine[key] == exact[key]  # type: ignore[literal-required] # its keys
        assert mine["handshake_mean_ns"] == exact["handshake_mean_ns"]
        for key in ("latency_p50_ns", "latency_p99_ns"):
            assert mine[key] == pytest.approx(exact[key], rel=0.005)  # type: ignore[literal-required] # as above
    first = {one["policy"]: (one["reuse_ratio"], one["handshake_mean_ns"]) for one in found["blocks"][:2]}
    assert first == {"persistent": (1.0, 0), "close": (0.0, 40 * US)}


def test_a_lost_worker_is_forgotten(reporter_of: Reporters) -> None:
    plan = plan_json()
    live = Live(cell_names(plan))
    for name in ("stays", "goes"):
        live.take(name, "Users", reporter_of(plan, name).block("persistent", 0, links("persistent", 0))[0])
    live.drop("goes")
    found = live.summary("run", plan, ENVIRONMENT, [])
    assert found is not None
    assert found["policies"]["persistent"]["requests"] == 100


def test_figures_for_locust_hold_every_finished_request(reporter_of: Reporters) -> None:
    reporter = reporter_of(plan_json())
    made = [
        Link([Exchange(-MS), Exchange(0, wait=2 * MS)], connect=40 * US),
        Link([Exchange(MS, outcome=-ErrorKind.RESPONSE_TIMEOUT, receive=ABSENT)], connect=40 * US),
        Link([Exchange(2 * MS, outcome=-ErrorKind.UNFINISHED, receive=ABSENT)], connect=40 * US),
    ]
    _, found = reporter.block("persistent", 0, made)
    figures = found[ABSENT]
    assert figures["count"] == 3
    assert figures["failures"] == {"response_timeout": 1}
    # 10 µs of sending, 100 of waiting, 5 of receiving, and 40 of connecting where the connection was new.
    assert figures["times_ms"] == {0.155: 1, 2.02: 1, 0.15: 1}
    assert figures["min_ms"] == 0.15
    assert figures["max_ms"] == 2.015
    assert figures["total_ms"] == pytest.approx(0.155 + 2.015 + 0.15)
    assert figures["bytes"] == 180
    # The monotonic clock stands at 5,000 s and the block's window begins 0.2 s later.
    assert figures["per_second"] == {1_005_000: 3}
    assert figures["failures_per_second"] == {1_005_000: 1}


def test_each_of_several_requests_has_figures_of_its_own(reporter_of: Reporters) -> None:
    reporter = reporter_of(plan_json())
    report, figures = reporter.block("close", 0, links("close", 0), request_weights=[3, 1])
    counts = {str(place): one["count"] for place, one in figures.items()}
    assert counts == report["block"]["carried_by_request"]
    assert counts.keys() == {"0", "1"}


def test_a_block_without_requests_has_no_figures(reporter_of: Reporters) -> None:
    reporter = reporter_of(plan_json())
    report, figures = reporter.block("close", 0, [])
    assert figures == {}
    assert report["requests"] == 0
