"""What can be read of a run while it goes on: its blocks as they end, as lines and as metrics."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from loadgen.cli.live_blocks import LiveBlocks
from loadgen.cli.live_output import LiveOutput
from loadgen.cli.metrics_server import ADDRESS, MetricsServer
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.model.exceptions import PlanError
from tests.support.synthetic import RunWriter, links, plan_json


def test_a_block_is_told_once_when_it_has_ended(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 2))
    told: list[tuple[int, BlockLatency]] = []
    live = LiveBlocks([writer.store.directory], [lambda index, block: told.append((index, block))])
    for number, policy in enumerate(("persistent", "close")):
        writer.block(policy, 0, links(policy, 0))
        live.look()
        live.look()
        assert [index for index, _ in told] == list(range(number + 1))
    writer.block("close", 1, links("close", 1), ended=False)  # its worker died
    live.look()
    assert len(told) == 2
    summary = writer.summary()
    for (_, block), final in zip(told, summary["blocks"], strict=False):
        assert (block.policy, block.requests, block.mean_ns) == (
            final["policy"], final["started"], final["latency_mean_ns"],
        )  # fmt: skip


def test_lines_go_to_standard_output_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveOutput({"export": ("ndjson=-", "csv")})
    (listener,) = live.listeners
    listener(3, BlockLatency(1, "close", True, 10, 2_005))
    assert json.loads(capsys.readouterr().out) == {
        "type": "block_ended", "index": 3, "round": 1, "policy": "close", "requests": 10, "latency_mean_ns": 200,
    }  # fmt: skip
    assert LiveOutput({"export": ("ndjson", "csv=-")}).listeners == []


def test_metrics_are_served_while_the_run_goes_on() -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    server = MetricsServer(0)
    try:
        server.add(0, {"block": {"index": 0, "policy": "close"}})
        server.add(0, {"exchanges": 4, "errors": 1})
        server.add(1, {"exchanges": 5, "errors": 0})
        server.add(0, {"exchanges": 7, "errors": 1})
        server.add_block(0, BlockLatency(0, "close", True, 10, 2_000_000_000))
        with urllib.request.urlopen(f"http://{ADDRESS}:{server.port}/metrics", timeout=10) as response:
            text = response.read().decode()
        with pytest.raises(PlanError, match="choose another port"):
            MetricsServer(server.port)
    finally:
        server.close()
    found = {
        (sample.name, sample.labels["policy"]): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found == {
        ("loadgen_exchanges_total", "close"): 12,
        ("loadgen_exchange_errors_total", "close"): 1,
        ("loadgen_requests_total", "close"): 10,
        ("loadgen_blocks_total", "close"): 1,
        ("loadgen_request_latency_seconds_count", "close"): 10,
        ("loadgen_request_latency_seconds_sum", "close"): 2.0,
    }


def test_without_its_package_the_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(PlanError, match=r"pip install 'loadgen\[metrics\]'"):
        LiveOutput({"metrics_port": 9_100})
