"""A bounded number of samples beside counts, sums and histograms of all: the summary hardly differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.limiting import ALL, halve, halvings_of, level, limit, with_histograms
from loadgen.measure.data.rows import Samples
from loadgen.measure.summary.run import summarise
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.summary_schema import check_summary
from tests.support.synthetic import ENVIRONMENT, US, Exchange, Link, RunWriter, plan_json

POLICIES = ("persistent", "close", "recycle:4")
ROUNDS, REQUESTS = 4, 4_000
EXACT = (
    "started", "requests", "unfinished", "errors", "statuses", "seconds", "answered", "throughput_rps",
    "throughput_rps_ci95", "connections", "window_answered", "blocks",
)  # fmt: skip


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Four rounds of three policies: answers of two kinds, errors, requests that were not finished."""
    writer = RunWriter(tmp_path_factory.mktemp("long") / "run", plan_json(",".join(POLICIES), rounds=ROUNDS))
    random = np.random.default_rng(3)
    for number in range(ROUNDS):
        for policy in POLICIES:
            waits = random.lognormal(11 + number / 50, 0.6, REQUESTS).astype(int).tolist()
            outcomes = random.choice([200] * 95 + [503, 404, -ErrorKind.TRUNCATED, -ErrorKind.UNFINISHED], REQUESTS)
            exchanges = [
                Exchange(at * 40 * US, wait=wait, outcome=outcome)
                for at, (wait, outcome) in enumerate(zip(waits, outcomes.tolist(), strict=True))
            ]
            step = {"persistent": REQUESTS // 2, "close": 1, "recycle:4": 4}[policy]
            connects = random.gamma(9, 9_000, REQUESTS).astype(int).tolist()
            links = [
                Link(exchanges[at : at + step], slot=at % 2, connect=connects[at]) for at in range(0, REQUESTS, step)
            ]
            writer.block(policy, number, links)
    found: Samples = writer.settle()
    return found


def summary(samples: Samples) -> dict[str, Any]:
    plan: Any = plan_json(",".join(POLICIES), rounds=ROUNDS)
    found: Any = summarise("run", samples, plan, ENVIRONMENT, [])  # type: ignore[arg-type] # a plain dictionary
    check_summary(found)
    return dict(found)


@pytest.fixture(scope="module")
def whole(samples: Samples) -> dict[str, Any]:
    return summary(samples)


@pytest.mark.parametrize("max_samples", [100, 2_000, 20_000])
def test_counts_are_exact_and_percentiles_within_one_percent(
    samples: Samples, whole: dict[str, Any], max_samples: int
) -> None:
    limited = limit(samples, max_samples)
    assert len(limited) <= max_samples
    made = summary(limited)
    for policy, exact in whole["policies"].items():
        found = made["policies"][policy]
        assert {key: found[key] for key in EXACT} == {key: exact[key] for key in EXACT}
        assert found["started"] == found["requests"] + sum(found["errors"].values()) + found["unfinished"]
        for key in ("mean", "max"):
            assert found["latency_ns"][key] == exact["latency_ns"][key]
        for key in ("p50", "p90", "p99", "p99_9"):
            assert found["latency_ns"][key] == pytest.approx(exact["latency_ns"][key], rel=0.01)
        for phase, figures in exact["phases_ns"].items():
            for key in ("count", "mean", "mean_per_request"):
                assert found["phases_ns"][phase][key] == figures[key], (phase, key)
            for key in ("p50", "p99"):
                assert found["phases_ns"][phase][key] == (figures[key] and pytest.approx(figures[key], rel=0.01))
    for block, exact in zip(made["blocks"], whole["blocks"], strict=True):
        assert block["latency_p50_ns"] == pytest.approx(exact["latency_p50_ns"], rel=0.01)
        assert block["throughput_rps"] == exact["throughput_rps"]


def test_comparisons_are_those_of_all_requests(samples: Samples, whole: dict[str, Any]) -> None:
    made = summary(limit(samples, 10_000))
    for found, exact in zip(made["comparisons"], whole["comparisons"], strict=True):
        same = ("throughput_ratio", "throughput_ratio_ci95", "baseline_mean_ns", "candidate_mean_ns")
        assert [found[key] for key in same] == [exact[key] for key in same]
        assert found["phase_deltas_mean_ns"] == exact["phase_deltas_mean_ns"]
        assert found["latency_p50_ratio"] == pytest.approx(exact["latency_p50_ratio"], rel=0.01)
        low, high = found["latency_p50_delta_ci95"]
        assert low < found["latency_p50_delta_ns"] < high


def test_the_report_says_so(samples: Samples, whole: dict[str, Any]) -> None:
    assert "samples_thinned" not in {one["code"] for one in whole["warnings"]}
    message = next(one["message"] for one in summary(limit(samples, 10_000))["warnings"] if "thinned" in one["code"])
    assert "means and maxima of latency and phases are of all requests" in message
    assert "within 0.8%" in message


def test_below_the_limit_samples_are_what_they_are(samples: Samples) -> None:
    assert limit(samples, len(samples)) is samples
    assert limit(samples, ALL) is samples


def test_what_is_rare_stays_and_blocks_keep_the_same_share(samples: Samples) -> None:
    limited = limit(samples, 12_000)
    for policy in range(len(POLICIES)):
        failed = [int(np.count_nonzero((one.columns["error"] != ABSENT) & (one.columns["policy"] == policy)))
                  for one in (samples, limited)]  # fmt: skip
        assert failed[0] == failed[1] > 0
    shares = [block["counted"]["kept"] / block["counted"]["requests"] for block in limited.blocks]
    for policy, share in enumerate((1 / 4, 1 / 4, 1 / 8)):
        assert shares[policy :: len(POLICIES)] == pytest.approx([share] * ROUNDS, abs=0.03)


def test_a_share_of_a_share_is_the_same_as_one_share(samples: Samples) -> None:
    twice, once = limit(limit(samples, 20_000), 3_000), limit(samples, 3_000)
    assert twice.columns["scheduled"].tolist() == once.columns["scheduled"].tolist()
    assert twice.blocks == once.blocks
    assert summary(twice) == summary(once)


def test_each_group_keeps_a_sample(samples: Samples) -> None:
    assert len(limit(samples, 1)) == 2 * len(POLICIES)


def test_sources_are_brought_to_the_same_share(samples: Samples) -> None:
    few = limit(samples, 3_000)
    one, other = level([samples, few])
    assert halvings_of(one).tolist() == halvings_of(other).tolist()
    assert one.columns["scheduled"].tolist() == few.columns["scheduled"].tolist()
    assert level([samples, samples])[0] is samples
    assert halve(few, halvings_of(few)) is few


def test_histograms_are_made_once(samples: Samples) -> None:
    made = with_histograms(samples)
    assert with_histograms(made).histograms.columns["count"].sum() == made.histograms.columns["count"].sum()
