"""A policy's figures as attributes are those of the summary."""

from __future__ import annotations

from pathlib import Path

from loadgen.cli.api import Run
from tests.support.synthetic import full_run


def test_figures_are_those_of_the_summary(tmp_path: Path) -> None:
    run = Run(tmp_path, full_run(tmp_path / "run").summary())
    assert list(run.policies) == list(run.summary["policies"])
    for name, one in run.policies.items():
        found = run.summary["policies"][name]
        latency_ns = found["latency_ns"]
        assert (one.requests, one.errors) == (found["requests"], sum(found["errors"].values()))
        assert one.error_ratio == one.errors / found["started"]
        assert one.throughput_rps == found["throughput_rps"]
        assert [one.mean_ms, one.p50_ms, one.p99_ms] == [(latency_ns[key] or 0) / 1e6 for key in ("mean", "p50", "p99")]  # type: ignore[literal-required] # of that type
        connections = found["connections"]
        assert (one.reuse_ratio, one.connections_opened) == (connections["reuse_ratio"], connections["opened"])
        assert (one.tls_full, one.tls_resumed) == (connections["tls_full"], connections["tls_resumed"])
        assert name in repr(one)


def test_what_is_not_known_is_none() -> None:
    summary = {"latency_ns": {"mean": None, "p50": None, "p99": None}, "started": 0, "errors": {}}
    one = Run(Path(), {"policies": {"close": summary}}).policies["close"]  # type: ignore[typeddict-item] # enough of one
    assert (one.mean_ms, one.p50_ms, one.p99_ms, one.error_ratio) == (None, None, None, 0.0)
