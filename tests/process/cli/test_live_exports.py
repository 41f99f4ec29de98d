"""A run that is read while it goes on: lines on standard output, and metrics on its port."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import free_port
from tests.support.targets import Target

LOAD = ["--users", "4", "--processes", "2", "--rounds", "2", "--block", "300ms", "--warmup", "50ms", "--no-charts"]


def test_blocks_are_told_as_they_end_and_agree_with_the_summary(
    share_target: Callable[..., Target], tmp_path: Path
) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    port, out = free_port(), tmp_path / "run"
    arguments = [share_target().url, *LOAD, "--out", str(out), "--export", "ndjson=-", "--metrics-port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "loadgen", "compare", *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        # While the next block runs.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            families = list(parser.text_string_to_metric_families(response.read().decode()))
        lines = [json.loads(line) for line in (first, *process.stdout)]
        assert process.wait(timeout=60) == 0
    told = [line for line in lines if line["type"] == "block_ended"]
    blocks = [line for line in lines if line["type"] == "block"]
    assert lines[: len(told)] == told
    assert [(one["index"], one["policy"], one["requests"], one["latency_mean_ns"]) for one in told] == [
        (one["index"], one["policy"], one["started"], one["latency_mean_ns"]) for one in blocks
    ]
    assert len([line for line in lines if line["type"] == "sample"]) == sum(one["started"] for one in blocks)
    requests = {
        sample.labels["policy"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "loadgen_requests_total"
    }
    assert requests[told[0]["policy"]] == told[0]["requests"]
