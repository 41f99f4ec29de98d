"""Samples to summary.json: every field of the contract worked out by hand, warnings, verdict, cut-off runs."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.environment import environment
from loadgen.measure.summary.verdict import verdict_clauses
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending, Phase
from loadgen.model.units import NS_PER_S
from tests.support.synthetic import (
    BLOCK_CPU_NS,
    ENVIRONMENT,
    MS,
    OPEN,
    RESUMED,
    RSS_BYTES,
    TLS,
    US,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    close_links,
    full_run,
    persistent_links,
    plan_json,
)

Summary = dict[str, Any]
ROUNDS, REQUESTS, USERS = 5, 50, 2
ONE_POLICY_REQUESTS = ROUNDS * REQUESTS * USERS
SECONDS = ROUNDS * WINDOW_NS / NS_PER_S
# What persistent_links and close_links write, as latencies of all counted requests.
LATENCIES = {
    "persistent": sorted((115 + r + at) * US for r in range(ROUNDS) for at in range(REQUESTS) for _ in range(USERS)),
    "close": sorted((162 + r + at) * US for r in range(ROUNDS) for at in range(REQUESTS) for _ in range(USERS)),
}


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return full_run(tmp_path_factory.mktemp("run") / "whole").summary()


def quick(directory: Path, *links: Link, policy: str = "persistent", rounds: int = 5, **more: Any) -> Summary:
    """A run of one policy whose every block holds `links`."""
    plan = more.pop("plan", None) or plan_json(policy, rounds)
    writer = RunWriter(directory / "run", plan)
    for number in range(rounds):
        writer.block(policy, number, links, **more)
    return writer.summary()


def nearest_rank(values: list[int], share: float) -> int:
    return values[math.ceil(share * len(values)) - 1]


# The contract


def test_top_level(summary: Summary) -> None:
    assert summary["schema"] == 1
    assert summary["run"] == "whole"
    assert summary["plan"] == plan_json()
    assert summary["environment"] == ENVIRONMENT
    assert summary["warnings"] == []
    assert list(summary["policies"]) == ["persistent", "close"]
    assert len(summary["comparisons"]) == 1


@pytest.mark.parametrize("name", LATENCIES)
def test_counts_and_throughput(summary: Summary, name: str) -> None:
    one = summary["policies"][name]
    assert (one["started"], one["requests"], one["unfinished"]) == (ONE_POLICY_REQUESTS, ONE_POLICY_REQUESTS, 0)
    assert one["errors"] == {}
    assert one["statuses"] == {"200": ONE_POLICY_REQUESTS}
    assert one["seconds"] == pytest.approx(SECONDS)
    assert one["throughput_rps"] == pytest.approx(ONE_POLICY_REQUESTS / SECONDS)
    assert one["throughput_rps_ci95"] == pytest.approx([ONE_POLICY_REQUESTS / SECONDS] * 2)  # all rounds alike


@pytest.mark.parametrize(
    ("name", "opened", "reuse_ratio", "requests_per_connection"),
    [("persistent", 10, 1.0, 51.0), ("close", 510, 0.0, 1.0)],
)
def test_connections(
    summary: Summary, name: str, opened: int, reuse_ratio: float, requests_per_connection: float
) -> None:
    connections = summary["policies"][name]["connections"]
    expected = {
        "opened": opened, "ideal": USERS * ROUNDS, "reuse_ratio": reuse_ratio,
        "requests_per_connection": requests_per_connection, "closed_by": {"client": opened, "server": 0},
        "tls_full": 0, "tls_resumed": 0, "server_ignored_close": 0,
    }  # fmt: skip
    assert {key: connections[key] for key in expected} == expected


@pytest.mark.parametrize("name", LATENCIES)
def test_latency(summary: Summary, name: str) -> None:
    latency, known = summary["policies"][name]["latency_ns"], LATENCIES[name]
    assert latency["mean"] == round(statistics.fmean(known))
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
    assert {key: latency[key] for key in shares} == {key: nearest_rank(known, share) for key, share in shares.items()}
    assert latency["max"] == known[-1]
    low, high = latency["p50_ci95"]
    # Rounds differ by 1 µs each: 2.776 standard errors of 0.71 µs, but for medians that are whole microseconds.
    assert [low, high] == pytest.approx([latency["p50"] - 1.96 * US, latency["p50"] + 1.96 * US], abs=US)
    low, high = latency["mean_ci95"]
    assert [low, high] == pytest.approx([latency["mean"] - 1.96 * US, latency["mean"] + 1.96 * US], abs=0.03 * US)
    low, high = latency["p99_ci95"]
    assert low < latency["p99"] < high


@pytest.mark.parametrize("name", LATENCIES)
def test_the_curve_rises_to_where_ten_samples_are_left(summary: Summary, name: str) -> None:
    curve, known = summary["policies"][name]["latency_ns"]["curve"], LATENCIES[name]
    assert curve[0]["share"] == 0.5
    assert [point["value"] for point in curve] == [nearest_rank(known, point["share"]) for point in curve]
    assert (1 - curve[-1]["share"]) * len(known) >= 10
    for point in curve:
        low, high = point["ci95"]
        assert low * 0.999 <= point["value"] <= high * 1.001


def test_phases_count_only_where_they_happened(summary: Summary) -> None:
    absent = {"count": 0, "mean": None, "p50": None, "p99": None, "mean_per_request": 0}
    persistent, close = (summary["policies"][name]["phases_ns"] for name in ("persistent", "close"))
    assert set(persistent) == set(close) == {phase.value for phase in Phase}
    for phase in ("queue", "dns", "tls", "upgrade"):
        assert persistent[phase] == close[phase] == absent
    assert persistent["connect"] == absent  # paid in the warm-up
    assert close["connect"] == dict.fromkeys(("mean", "p50", "p99", "mean_per_request"), 40 * US) | {
        "count": ONE_POLICY_REQUESTS
    }
    waits = [value - 15 * US for value in LATENCIES["persistent"]]
    assert persistent["wait"]["count"] == ONE_POLICY_REQUESTS
    assert persistent["wait"]["mean"] == round(statistics.fmean(waits))
    assert persistent["wait"]["p50"] == nearest_rank(waits, 0.5)
    assert persistent["wait"]["p99"] == nearest_rank(waits, 0.99)


def test_a_phase_that_some_paid_is_not_diluted(tmp_path: Path) -> None:
    one = quick(tmp_path, Link([Exchange(0), Exchange(1), Exchange(2), Exchange(3)], connect=80 * US))
    connect = one["policies"]["persistent"]["phases_ns"]["connect"]
    assert connect == {"count": 5, "mean": 80 * US, "p50": 80 * US, "p99": 80 * US, "mean_per_request": 20 * US}


@pytest.mark.parametrize("name", LATENCIES)
def test_generator(summary: Summary, name: str) -> None:
    generator = summary["policies"][name]["generator"]
    assert generator["cpu_ns_per_request"] == ROUNDS * BLOCK_CPU_NS // ONE_POLICY_REQUESTS
    assert generator["cpu_share"] == pytest.approx(BLOCK_CPU_NS / WINDOW_NS)
    assert (generator["lag_p50_ns"], generator["lag_p99_ns"]) == (2 * US, 2 * US)
    assert generator["rss_bytes"] == RSS_BYTES


def test_comparison(summary: Summary) -> None:
    (one,) = summary["comparisons"]
    persistent, close = (nearest_rank(LATENCIES[name], 0.5) for name in ("persistent", "close"))
    assert (one["baseline"], one["candidate"], one["rounds"]) == ("persistent", "close", ROUNDS)
    assert one["latency_p50_delta_ns"] == close - persistent == 47 * US
    assert one["latency_p50_ratio"] == close / persistent
    assert one["throughput_ratio"] == 1.0
    assert one["throughput_ratio_ci95"] == [1.0, 1.0]
    assert one["handshake_mean_ns"] == 40 * US
    assert one["residual_mean_ns"] == 7 * US
    assert one["latency_mean_delta_ns"] == 47 * US
    assert one["latency_mean_delta_ci95"] == pytest.approx([47 * US] * 2, abs=1)  # the same in every round
    means = [statistics.fmean(LATENCIES[name]) for name in ("persistent", "close")]
    assert one["latency_mean_ratio"] == pytest.approx(means[1] / means[0])
    low, high = one["latency_mean_ratio_ci95"]
    assert low < one["latency_mean_ratio"] < high < low * 1.01
    assert one["p_value"] < 1e-6
    assert one["is_certain"]
    p99 = [nearest_rank(LATENCIES[name], 0.99) for name in ("persistent", "close")]
    assert one["latency_p99_delta_ns"] == p99[1] - p99[0]
    assert one["latency_p99_ratio"] == p99[1] / p99[0]
    assert one["phase_deltas_mean_ns"] == dict.fromkeys((phase.value for phase in Phase), 0) | {
        "connect": 40 * US, "wait": 7 * US,
    }  # fmt: skip


def test_what_both_sides_of_a_round_share_cancels_out(summary: Summary) -> None:
    """Rounds get slower by 1 µs each, for both: the difference of 47 µs is the same in all, up to a bin's width."""
    (one,) = summary["comparisons"]
    assert one["latency_p50_delta_ci95"] == pytest.approx([47 * US] * 2, abs=US)
    low, high = one["latency_p50_ratio_ci95"]
    assert low <= one["latency_p50_ratio"] <= high
    assert high - low < 0.02


def test_an_interval_holds_its_own_estimate_where_the_difference_is_small(tmp_path: Path) -> None:
    """A target that takes 100 ms: 47 µs are less than a thousandth of it, and still what every round shows."""
    writer = RunWriter(tmp_path / "run")
    for number in range(ROUNDS):
        for policy, extra in (("persistent", 0), ("close", 47 * US)):
            waits = [100 * MS + number * US + at * US + extra for at in range(REQUESTS)]
            writer.block(policy, number, [Link([Exchange(at, wait=wait)]) for at, wait in enumerate(waits)])
    made = writer.summary()
    (one,) = made["comparisons"]
    assert one["latency_p50_delta_ns"] == 47 * US
    low, high = one["latency_p50_delta_ci95"]
    assert low - US <= 47 * US <= high + US
    assert high - low < 10 * US
    for policy in made["policies"].values():
        low, high = policy["latency_ns"]["p50_ci95"]
        assert low - US <= policy["latency_ns"]["p50"] <= high + US


def test_delta_and_ratio_when_throughput_differs(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=2))
    for number in range(2):
        writer.block("persistent", number, [Link([Exchange(at, wait=85 * US) for at in range(30)])])
        writer.block("close", number, [Link([Exchange(at, wait=285 * US)]) for at in range(10)])
    (one,) = writer.summary()["comparisons"]
    assert (one["latency_p50_delta_ns"], one["latency_p50_ratio"]) == (200 * US, 3.0)
    assert one["throughput_ratio"] == pytest.approx(1 / 3)
    assert (one["handshake_mean_ns"], one["residual_mean_ns"]) == (0, 200 * US)


def test_a_handshake_of_all_its_phases(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=1))
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(1)], dns=2, connect=4, tls=6, upgrade=8, flags=TLS)])
    writer.block("close", 0, [Link(dns=10, connect=20, tls=30, upgrade=40, flags=TLS)])
    (one,) = writer.summary()["comparisons"]
    assert one["handshake_mean_ns"] == 100 - 20 // 2
    assert one["residual_mean_ns"] == 0


@pytest.mark.parametrize(
    ("policies", "pairs"),
    [
        ("close", []),
        ("close,persistent", [("persistent", "close")]),
        ("persistent,close,close-resume", [("persistent", "close"), ("persistent", "close-resume")]),
        ("close,close-resume", [("close", "close-resume")]),
    ],
)
def test_persistent_is_the_baseline_else_the_first(tmp_path: Path, policies: str, pairs: list[tuple[str, str]]) -> None:
    found = full_run(tmp_path / "run", policies, rounds=2, url="https://h/").summary()["comparisons"]
    assert [(one["baseline"], one["candidate"]) for one in found] == pairs


# Types

NS = {"mean", "p50", "p90", "p99", "p99_9", "max", "mean_per_request"}
FLOATS = {
    "throughput_rps", "throughput_ratio", "latency_p50_ratio", "reuse_ratio", "requests_per_connection", "seconds",
    "cpu_share", "share",
}  # fmt: skip
WHOLE = {"started", "requests", "unfinished", "opened", "ideal", "client", "tls_full", "tls_resumed", "count"}
INTERVALS = {
    "p50_ci95": int, "latency_p50_delta_ci95": int, "latency_p50_ratio_ci95": float, "throughput_ratio_ci95": float,
    "throughput_rps_ci95": float, "p99_ci95": int, "ci95": int,
}  # fmt: skip


def wrong_types(value: Any, path: str = "") -> list[str]:
    """Paths whose value is not of the type that the contract gives its name."""
    if isinstance(value, list) and path.split(".")[-1] not in INTERVALS:
        return [bad for index, item in enumerate(value) for bad in wrong_types(item, f"{path}.{index}")]
    if not isinstance(value, dict):
        return [] if fits(path.split(".")[-1], value) else [f"{path}: {value!r}"]
    return [bad for key, item in value.items() for bad in wrong_types(item, f"{path}.{key}")]


def fits(name: str, value: Any) -> bool:
    if value is None:
        return name not in WHOLE and name not in FLOATS
    if name in INTERVALS:
        return type(value) is list and [type(bound) for bound in value] == [INTERVALS[name]] * 2
    if name in FLOATS:
        return type(value) is float
    if name in NS or name in WHOLE or name.endswith(("_ns", "_bytes", "_ns_per_request")):
        return type(value) is int
    return type(value) in (str, int, float, bool)


def test_times_are_integers_ratios_floats(summary: Summary) -> None:
    checked = {key: summary[key] for key in ("policies", "comparisons", "blocks")}
    assert wrong_types(checked) == []


def test_types_without_a_single_request(tmp_path: Path) -> None:
    checked = quick(tmp_path, Link([Exchange(-1)]))
    one = checked["policies"]["persistent"]
    assert wrong_types(one) == []
    assert (one["started"], one["requests"]) == (0, 0)
    drawn = {key: one["latency_ns"].pop(key) for key in ("curve", "histogram")}
    assert drawn == {"curve": [], "histogram": []}
    assert set(one["latency_ns"].values()) == {None}
    assert (one["generator"]["cpu_ns_per_request"], one["generator"]["lag_p99_ns"]) == (None, None)
    assert one["throughput_rps"] == 0.0


def test_one_round_has_no_intervals(tmp_path: Path) -> None:
    made = full_run(tmp_path / "run", rounds=1).summary()
    (comparison,) = made["comparisons"]
    assert [comparison[key] for key in comparison if key.endswith("ci95")] == [None] * 7
    assert (comparison["p_value"], comparison["is_certain"]) == (None, False)
    for one in made["policies"].values():
        assert one["latency_ns"]["p50_ci95"] is one["throughput_rps_ci95"] is None
    assert wrong_types(made["policies"]) == wrong_types(made["comparisons"]) == []


def test_round_trip_through_strict_json(summary: Summary, tmp_path: Path) -> None:
    empty = quick(tmp_path, Link([Exchange(-1)]))
    for one in (summary, empty):
        assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_same_samples_same_summary(summary: Summary, tmp_path: Path) -> None:
    assert full_run(tmp_path / "whole").summary() == summary


def test_a_seed_matters_only_with_many_rounds(tmp_path: Path) -> None:
    one, other = (full_run(tmp_path / str(seed), rounds=3, seed=seed).summary() for seed in (1, 2))
    assert one["comparisons"] == other["comparisons"]


# Counting


def test_failed_requests_are_counted_by_kind(tmp_path: Path) -> None:
    outcomes = [-ErrorKind.TRUNCATED, -ErrorKind.STALE_CONNECTION, -ErrorKind.TRUNCATED, -ErrorKind.UNFINISHED, 404]
    made = quick(tmp_path, *(Link([Exchange(outcome=outcome)]) for outcome in outcomes))
    one = made["policies"]["persistent"]
    assert one["errors"] == {"stale_connection": 5, "truncated": 10}
    assert (one["started"], one["requests"], one["unfinished"]) == (25, 5, 5)
    assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    assert one["statuses"] == {"404": 5}
    assert one["phases_ns"]["wait"]["count"] == 5  # what failed tells nothing of latency


def test_every_error_kind_has_its_own_count(tmp_path: Path) -> None:
    made = quick(tmp_path, *(Link([Exchange(outcome=-kind)]) for kind in ErrorKind), rounds=1)
    kinds = {kind.name.lower(): 1 for kind in ErrorKind if kind is not ErrorKind.UNFINISHED}
    assert made["policies"]["persistent"]["errors"] == kinds


def test_who_closed_and_what_tls_did(tmp_path: Path) -> None:
    ignored = TLS | ConnectionFlag.IGNORED_CLOSE
    made = quick(
        tmp_path,
        Link(flags=TLS, ending=Ending.SERVER_IDLE_FIN), Link(flags=RESUMED), Link(flags=RESUMED), Link(flags=ignored),
        policy="close-resume", plan=plan_json("close-resume", url="https://h/"),
    )  # fmt: skip
    connections = made["policies"]["close-resume"]["connections"]
    assert connections["closed_by"] == {"client": 15, "server": 5}
    assert (connections["tls_full"], connections["tls_resumed"]) == (10, 10)
    assert connections["server_ignored_close"] == 5


def test_an_attempt_that_was_refused_carried_no_request(tmp_path: Path) -> None:
    refused = Link([Exchange(send=ABSENT, wait=ABSENT, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)], flags=0)
    made = quick(tmp_path, Link(), refused, refused, refused, policy="close")
    connections = made["policies"]["close"]["connections"]
    assert connections["opened"] == 5
    assert connections["requests_per_connection"] == 1.0


# Warnings


def lost_connection() -> Link:
    return Link([Exchange(0), Exchange(1)], ending=Ending.SERVER_IDLE_FIN)


PAIR = Link([Exchange(0), Exchange(1)])  # a connection that is reused
LAGGING = Link([Exchange(0, lag=60 * US), Exchange(1, lag=60 * US)])


def failing(kind: ErrorKind) -> Link:
    return Link([Exchange(outcome=-kind)])


CAUSES: dict[str, tuple[str, Callable[[Path], Summary], str]] = {
    "too few rounds": (
        "too_few_rounds",
        lambda path: quick(path, PAIR, PAIR, rounds=4),
        "4 rounds",
    ),
    "insecure": (
        "tls_not_verified",
        lambda path: quick(
            path, *[Link(PAIR.exchanges, flags=TLS)] * 2,
            plan=plan_json("persistent", url="https://h/", insecure=True),
        ),
        "--insecure",
    ),
    "nothing counted": ("no_samples", lambda path: quick(path, Link([Exchange(-1)]), Link([Exchange(-1)])), "--block"),
    "busy": (
        "generator_saturated",
        lambda path: quick(path, PAIR, PAIR, cpu_ns=int(WINDOW_NS * 0.95)),
        "95% of a core",
    ),
    "lagging": (
        "generator_saturated",
        lambda path: quick(path, *[LAGGING] * 2, cpu_ns=WINDOW_NS // 2 + 1),
        "60.0 µs",
    ),
    "errors": (
        "errors",
        lambda path: quick(path, Link([Exchange(0), Exchange(1, outcome=-ErrorKind.TRUNCATED)]), PAIR),
        "5 truncated",
    ),
    "http errors": (
        "http_errors",
        lambda path: quick(path, PAIR, Link([Exchange(outcome=500)])),
        "5 of 15 responses",
    ),
    "server closes": (
        "connections_not_ideal",
        lambda path: quick(path, Link(), Link(), lost_connection()),
        "the server closed 5",
    ),
    "close ignored": (
        "server_ignored_close",
        lambda path: quick(path, Link(flags=OPEN | ConnectionFlag.IGNORED_CLOSE), policy="close"),
        "5 connections",
    ),
    "resumed": (
        "tls_resumed_unasked",
        lambda path: quick(path, Link(flags=RESUMED), policy="close", plan=plan_json("close", url="https://h/")),
        "5 TLS handshakes",
    ),
    "not resumed": (
        "tls_not_resumed",
        lambda path: quick(
            path, *[Link(flags=TLS)] * 3, policy="close-resume", plan=plan_json("close-resume", url="https://h/")
        ),
        "15 TLS handshakes",
    ),
    "early data rejected": (
        "no_early_data",
        lambda path: quick(
            path, *[Link(flags=RESUMED | ConnectionFlag.EARLY_REJECTED | ConnectionFlag.EARLY_REPLAYED)] * 3,
            policy="early-data", plan=plan_json("early-data", url="https://h/"),
        ),
        "the server took no request as early data: it rejected all of 15",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_warning_has_its_cause_and_no_other(tmp_path: Path, cause: str) -> None:
    code, make, said = CAUSES[cause]
    found = make(tmp_path)["warnings"]
    assert [one["code"] for one in found] == [code]
    assert said in found[0]["message"]


def test_unlike_counts_are_warned_of(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    for number in range(ROUNDS):
        writer.block("persistent", number, [Link(), Link([Exchange(at) for at in range(40)])])
        writer.block("close", number, [Link()])
    (warning,) = writer.summary()["warnings"]
    assert warning["code"] == "unlike_sample_counts"
    assert "persistent has 205 requests, close only 5" in warning["message"]


def test_rounds_are_counted_as_the_comparison_counts_them(tmp_path: Path) -> None:
    """The second round was cut off: the verdict has one round, and so has the warning."""
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", rounds=2))
    writer.block("persistent", 0, [PAIR, PAIR])
    writer.block("close", 0, [PAIR, PAIR])
    writer.block("persistent", 1, [PAIR, PAIR])
    summary = writer.summary()
    (said,) = (one["message"] for one in summary["warnings"] if one["code"] == "too_few_rounds")
    assert said.startswith("1 round cannot")
    assert "one round" in summary["verdict"]


def test_rounds_without_an_answer_are_no_rounds_that_were_left_out(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", rounds=5))
    for number in range(5):
        writer.block("persistent", number, [PAIR] if number else [])
        writer.block("close", number, [PAIR])
    (said,) = (one["message"] for one in writer.summary()["warnings"] if one["code"] == "too_few_rounds")
    assert said.startswith("4 of 5 rounds have an answer under both policies")


def test_notes_of_the_run_come_first(tmp_path: Path) -> None:
    note = {"code": "interrupted", "message": "it was"}
    writer = RunWriter(tmp_path / "run", plan_json("persistent", rounds=1), notes=[note])
    writer.block("persistent", 0, [PAIR, PAIR])
    assert [one["code"] for one in writer.summary()["warnings"]] == ["interrupted", "too_few_rounds"]


# Verdict


def test_the_verdict_says_what_reuse_saves(summary: Summary) -> None:
    low, high = summary["comparisons"][0]["latency_mean_delta_ci95"]
    assert summary["verdict"] == (
        f"close costs 47.0 µs more per request on average [{low / 1e3:.1f}, {high / 1e3:.1f}] than persistent, 1.33×; "
        "85% of that is the TCP handshake"
    )


def comparison(
    delta_ns: int = 2 * MS,
    interval: tuple[int, int] | None = (1_900_000, 2_100_000),
    ratio: float = 3.0,
    is_certain: bool | None = None,
    ratio_interval: tuple[float, float] = (2.9, 3.1),
    equivalence: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """is_certain: None where the interval alone says it."""
    deltas = dict.fromkeys((phase.value for phase in Phase), 0) | {"tls": delta_ns}
    leaves_out_0 = interval is not None and not interval[0] <= 0 <= interval[1]
    return {
        "baseline": "persistent", "candidate": "close", "latency_mean_delta_ns": delta_ns,
        "latency_mean_delta_ci95": None if interval is None else list(interval), "latency_mean_ratio": ratio,
        "latency_mean_ratio_ci95": None if interval is None else list(ratio_interval),
        "is_certain": leaves_out_0 if is_certain is None else is_certain, "phase_deltas_mean_ns": deltas,
        "rounds": 1 if interval is None else 5, "equivalence": equivalence,
    }  # fmt: skip


CALM = {"saturated": False}
POLICIES_SEEN: dict[str, dict[str, Any]] = {
    name: {
        "requests": number,
        "errors": {},
        "statuses": {"200": number},
        "generator": CALM,
        "protocol": "http/1.1",
        "connections": {},
    }
    for name, number in (("persistent", 7), ("close", 5))
}
UNANSWERED = {
    "requests": 0, "statuses": {}, "generator": CALM, "protocol": "http/1.1", "errors": {}, "window_answered": 0,
    "connections": {"warmup_errors": 0},
}  # fmt: skip


def verdict(*arguments: Any) -> str:
    """The clauses as a run has them in one text."""
    return "; ".join(verdict_clauses(*arguments))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (
            comparison(),
            "close costs 2.00 ms more per request on average [1.90, 2.10] than persistent, 3×; "
            "100% of that is the TLS handshake",
        ),
        (
            comparison(interval=None),
            "close costs 2.00 ms more per request on average (one round, no interval) than persistent, 3×; "
            "100% of that is the TLS handshake",
        ),
        (
            comparison(10 * US, (-20_000, 40_000)),
            "close and persistent show no certain difference on average (+10.0 µs [-20.0, +40.0])",
        ),
        (
            comparison(9_500, (80, 21_000), 1.004),
            "close costs 9.5 µs more per request on average [0.1, 21.0] than persistent; "
            "100% of that is the TLS handshake",
        ),
        (
            comparison(40 * US, (300, 80_000), 1.4),
            "close costs 40.0 µs more per request on average [0.3, 80.0] than persistent, 1.4×; "
            "100% of that is the TLS handshake",
        ),
        (
            comparison(-900, (-2_000, 1_000)),
            "close and persistent show no certain difference on average (-0.90 µs [-2.00, +1.00])",
        ),
    ],
    ids=["costs", "no interval", "uncertain", "a few µs", "a bound of almost 0", "uncertain by a few µs"],
)
def test_verdict_sentences(one: dict[str, Any], expected: str) -> None:
    assert verdict(POLICIES_SEEN, [one], []) == expected


def test_the_verdict_claims_no_more_than_the_run_s_comparisons_together_allow() -> None:
    """An interval of its own may leave out 0: of many such, one does so by chance."""
    doubtful = comparison(9_500, (80, 21_000), 1.04, is_certain=False, ratio_interval=(1.01, 1.07))
    assert verdict(POLICIES_SEEN, [doubtful, comparison()], []).startswith(
        "close and persistent show no certain difference on average "
        "(+9.5 µs [+0.1, +21.0], which may be chance among 2 comparisons); close costs 2.00 ms more "
    )
    by_the_ratio = comparison(9_500, (80, 21_000), 1.04, is_certain=False, ratio_interval=(0.99, 1.1))
    assert verdict(POLICIES_SEEN, [by_the_ratio], []).endswith("on average (1.040× [0.990, 1.100])")


def test_a_phase_may_cost_more_than_the_whole_difference() -> None:
    one = comparison()
    one["phase_deltas_mean_ns"] |= {"tls": 3 * MS, "wait": -MS}
    assert verdict(POLICIES_SEEN, [one], []).endswith("; more than all of that is the TLS handshake")


def test_equivalence_comes_behind_the_difference() -> None:
    found = {"bound": 0.02, "shown": True}
    for delta_ns, bounds, begins in ((9, (-9, 30), "close and persistent show no"), (20, (1, 30), "close costs 20 ns")):
        one = comparison(delta_ns, bounds, 1.01, ratio_interval=(0.985, 1.015), equivalence=found)
        sentence = verdict(POLICIES_SEEN, [one], [])
        assert sentence.startswith(begins)
        assert "; the two are equivalent within 2% (1.010× [0.985, 1.015])" in sentence
    many = [comparison(equivalence={"bound": 0.02, "shown": number < 3}) for number in range(5)]
    assert verdict(POLICIES_SEEN, many, []).endswith("; 3 of 5 comparisons are equivalent within 2%")


def test_a_candidate_that_is_faster_saves() -> None:
    said = verdict(POLICIES_SEEN, [comparison(-2 * MS, (-2_100_000, -1_900_000), 0.5)], [])
    assert said.startswith("close saves 2.00 ms per request on average [1.90, 2.10]")
    assert said.endswith("0.5×")
    assert " than " not in said  # one saves compared with another; "saves than" is no English


@pytest.mark.parametrize(
    ("ratio", "written"), [(1.06, "1.06×"), (0.31, "0.31×"), (9.6, "9.6×"), (150.0, "150×"), (1234.0, "×")]
)
def test_a_ratio_is_written_in_plain_digits(ratio: float, written: str) -> None:
    said = verdict(POLICIES_SEEN, [comparison(ratio=ratio)], [])
    assert "e+" not in said
    assert written in said


def test_each_comparison_has_a_clause_of_its_own() -> None:
    assert (
        len(verdict_clauses(POLICIES_SEEN, [comparison(), comparison(-2 * MS, (-2_100_000, -1_900_000), 0.5)], [])) == 2
    )
    lagging = [{"code": "generator_late", "message": "late"}]
    _, doubt = verdict_clauses(POLICIES_SEEN, [comparison()], lagging)  # type: ignore[arg-type] # a code as JSON has it
    assert doubt.startswith("the generator lagged")


def test_a_saturated_generator_is_in_the_verdict() -> None:
    busy = POLICIES_SEEN | {"close": POLICIES_SEEN["persistent"] | {"generator": {"saturated": True}}}
    assert "the generator was the bottleneck" in verdict(busy, [comparison()], [])
    lagging = [{"code": "generator_saturated", "message": ""}]
    assert "the generator lagged" in verdict(POLICIES_SEEN, [comparison()], lagging)
    late_stamps = [{"code": "stamp_delay", "message": ""}]
    assert verdict(POLICIES_SEEN, [comparison()], late_stamps).endswith(
        "; the generator's stamp delays may be a large share of this: see the warnings"
    )


def test_the_verdict_of_a_lone_or_empty_run() -> None:
    lone = {"persistent": POLICIES_SEEN["persistent"]}
    assert verdict(lone, [], []) == "persistent answered 7 requests; there is nothing to compare it with"
    assert (
        verdict({"close": UNANSWERED}, [], [])
        == "no request that began in a measured window was answered; use a longer --block"
    )


NEVER = "no counted request"


@pytest.mark.parametrize(
    ("answered", "missing", "expected"),
    [
        (1, ["close"], f"persistent answered 7 requests; close has {NEVER}, so nothing can be compared"),
        (1, ["close", "gap:1s"], f"persistent answered 7 requests; close and gap:1s have {NEVER}, so nothing can be"),
        (1, ["a", "b", "c", "d"], f"persistent answered 7 requests; 4 of 5 have {NEVER}, so nothing can be compared"),
        (2, [], "persistent answered 7 requests, close answered 5 requests; no round holds requests of two policies"),
    ],
)
def test_a_policy_without_samples_is_in_the_verdict(answered: int, missing: list[str], expected: str) -> None:
    policies = dict(list(POLICIES_SEEN.items())[:answered]) | dict.fromkeys(missing, UNANSWERED)
    assert verdict(policies, [], []).startswith(expected)


def test_a_policy_without_samples_is_named_beside_those_that_compare() -> None:
    said = verdict(POLICIES_SEEN | {"gap:1s": UNANSWERED}, [comparison()], [])
    assert said.startswith("close costs 2.00 ms")
    assert said.endswith("; gap:1s has no counted request")


def test_several_candidates_make_one_sentence(tmp_path: Path) -> None:
    said = full_run(tmp_path / "run", "persistent,close,close-resume", url="https://h/").summary()["verdict"]
    assert said.count("; close") == 1
    assert said.count(" than persistent") == 2
    assert "\n" not in said


# Cut-off runs


def test_a_round_without_one_of_the_policies(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    for number in range(2):
        writer.block("persistent", number, persistent_links(number))
        writer.block("close", number, close_links(number))
    slow = [Link([Exchange(at, wait=9 * MS) for at in range(50)]) for _ in range(USERS)]
    writer.block("persistent", 2, slow)
    made = writer.summary()
    persistent, close = made["policies"]["persistent"], made["policies"]["close"]
    assert (persistent["requests"], close["requests"]) == (300, 200)
    assert persistent["seconds"] == pytest.approx(3 * WINDOW_NS / NS_PER_S)
    assert close["seconds"] == pytest.approx(2 * WINDOW_NS / NS_PER_S)
    assert close["connections"]["ideal"] == 2 * USERS
    (comparison,) = made["comparisons"]
    assert comparison["rounds"] == 2  # the slow third one has no partner
    assert comparison["latency_p50_delta_ns"] == 47 * US
    assert comparison["throughput_ratio"] == pytest.approx(1.0)
    assert wrong_types(made["policies"]) == []
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize("ended", [True, False])
def test_cut_off_in_the_first_block(tmp_path: Path, ended: bool) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.block("close", 0, close_links(0), ended=ended)
    made = writer.summary()
    never = made["policies"]["persistent"]
    assert (never["started"], never["seconds"], never["throughput_rps_ci95"]) == (0, 0.0, None)
    assert made["comparisons"] == []
    assert made["verdict"] == (
        "close answered 100 requests; persistent has no counted request, so nothing can be compared"
    )
    json.dumps(made, allow_nan=False)


def test_cut_off_before_the_first_block(tmp_path: Path) -> None:
    made = RunWriter(tmp_path / "run").summary()
    assert made["verdict"] == "no request that began in a measured window was answered; use a longer --block"
    assert made["blocks"] == made["comparisons"] == []
    assert {one["code"] for one in made["warnings"]} == {"too_few_rounds", "no_samples"}
    json.dumps(made, allow_nan=False)


def test_blocks_for_the_chart_over_time(summary: Summary) -> None:
    assert [(one["index"], one["round"], one["policy"]) for one in summary["blocks"]] == [
        (2 * number + side, number, name) for number in range(ROUNDS) for side, name in enumerate(LATENCIES)
    ]
    first = summary["blocks"][0]
    assert first["throughput_rps"] == pytest.approx(USERS * REQUESTS / first["seconds"])
    assert first["latency_p50_ns"] == pytest.approx((115 + 24.5) * US, rel=0.005)
    assert (first["started"], first["exchanges"]) == (USERS * REQUESTS, USERS * (REQUESTS + 1))


def test_the_environment_has_the_version_of_all_that_reads_and_writes() -> None:
    packages = environment()["packages"]
    assert {"httptools", "h2", "hpack", "websockets", "pyopenssl"} <= packages.keys()
    assert all(packages.values())


def test_early_data_is_counted(tmp_path: Path) -> None:
    accepted, rejected = (RESUMED | one for one in (ConnectionFlag.EARLY_ACCEPTED, ConnectionFlag.EARLY_REJECTED))
    links = [Link(flags=flags) for flags in (accepted, accepted, rejected, rejected | ConnectionFlag.EARLY_REPLAYED)]
    found = quick(tmp_path, *links, policy="early-data", plan=plan_json("early-data", url="https://h/"))
    assert found["warnings"] == []
    (one,) = found["policies"].values()
    assert one["connections"]["early_data"] == {"accepted": 10, "rejected": 10, "replayed": 5}
