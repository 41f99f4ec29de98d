"""docs/summary.schema.json: made from the types, and true of every kind of run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.summary_schema import SCHEMA_FILE, check_summary, schema_text, summary_schema
from tests.support.synthetic import Exchange, Link, RunWriter, full_run, plan_json, sweep_plan, sweep_run
from tests.support.synthetic_upgrades import every_phase, upgraded_run

EXAMPLE = Path(__file__).parents[4] / "results" / "example" / "summary.json"


def test_the_file_is_what_the_types_say() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run make docs"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(summary_schema())


def test_every_type_and_every_key_has_a_text() -> None:
    for name, definition in summary_schema()["$defs"].items():
        assert definition["description"].endswith("."), name
        for key, one in definition["properties"].items():
            assert one["description"].rstrip("`").endswith((".", ")", "...")), f"{name}.{key}"


def test_the_example_run_fits() -> None:
    check_summary(json.loads(EXAMPLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("rounds", [1, 5])
def test_a_comparison_fits(tmp_path: Path, rounds: int) -> None:
    full_run(tmp_path / "run", "persistent,close,close-resume", rounds, url="https://127.0.0.1:8443/").summary()


def test_an_open_loop_fits(tmp_path: Path) -> None:
    sweep_run(tmp_path / "run", sweep_plan("persistent,close", rate=[1_000.0, 6_000.0])).summary()


@pytest.mark.parametrize(
    "axes", [{"recycle": ["1", "2", "10", "inf"]}, {"users": [1, 2], "gap": ["1ms", "5ms"]}], ids=["curve", "grid"]
)
def test_a_sweep_fits(tmp_path: Path, axes: dict[str, list[Any]]) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(**axes)).summary()
    assert bool(summary["sweep"]["amortisation"]) == ("recycle" in axes)


def test_other_protocols_fit(tmp_path: Path) -> None:
    upgraded_run(tmp_path / "run").summary()
    every_phase(tmp_path / "phases").summary()


def test_a_run_without_an_answer_fits(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 1))
    for policy in ("persistent", "close"):
        writer.block(policy, 0, [Link([Exchange(outcome=-3)])])
    assert writer.summary()["policies"]["close"]["latency_ns"]["p50"] is None


def test_blocks_with_all_facts_fit(tmp_path: Path) -> None:
    facts = {
        "kernel": {
            "time_wait": {"before": 0, "peak": 9, "after": 9, "client": 5, "server": 4},
            "sockets_peak": 10,
            "syn_retransmits": 0,
            "listen_overflows": 0,
            "listen_drops": 0,
            "retransmits": 0,
            "ports": {"range": 28_232, "in_use": 10, "reusable": None, "left": 28_222},
        },
        "tcp": {"sampled": 1, "rtt_us_p50": 40, "cwnd_p50": 10, "retransmits": 0},
        "server": {"cpu_ns": 10_000_000, "rss_bytes": 1 << 20, "sockets": 3},
        "keep_alive": {"timeout_s": 5, "max": 100},
        "trailers": {"responses": 1, "fields": {"x-checksum": 1}},
        "after_close": {"tried": 1, "answered": 0},
        "challenge": {"connections": 0, "errors": 0},
        "retried": 0,
        "unstarted": 0,
        "mismatched_echoes": 0,
    }
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 1, trailers=True))
    for policy in ("persistent", "close"):
        writer.block(policy, 0, [Link([Exchange()])], **facts)
    policy = writer.summary()["policies"]["close"]
    assert policy["server"]["cpu_ns_per_request"] == 10_000_000
    assert policy["connections"]["server_announced"] == {"keep_alive_timeout_s": 5, "keep_alive_max": 100}


def test_a_key_that_is_missing_unknown_or_of_another_type_is_named(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", rounds=1).summary()
    check_summary(summary)
    for change, place in (
        (lambda one: one.pop("verdict"), "verdict"),
        (lambda one: one.update(more=1), "more"),
        (lambda one: one["policies"]["close"].update(requests="7"), "$.policies.close.requests"),
        (lambda one: one["policies"]["close"]["latency_ns"].update(p50=1.5), "$.policies.close.latency_ns.p50"),
    ):
        changed = copy.deepcopy(summary)
        change(changed)
        with pytest.raises(AssertionError) as failure:
            check_summary(changed)
        assert place in str(failure.value)
