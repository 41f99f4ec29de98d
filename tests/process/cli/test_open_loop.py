"""The open loop: arrivals due at times fixed beforehand, latency from then on, and what can't be started is counted."""

from __future__ import annotations

import itertools
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.processes import HELLO, compare, read_request, scripted_server
from tests.support.runs import Start


def samples_of(folder: Path) -> dict[str, Any]:
    with np.load(folder / "samples.npz") as samples:
        return {name: samples[name].astype(np.int64) for name in samples if name != "blocks"}


@pytest.mark.alone  # it measures time
def test_every_arrival_of_the_window_is_a_sample(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    summary = compare(target.url, tmp_path / "run", "--rate", "400", "--block", "600ms", "--warmup", "100ms")
    samples = samples_of(tmp_path / "run")
    for index, one in enumerate(summary["policies"].values()):
        due = one["arrivals"]["due"]
        assert due == pytest.approx(400 * 0.5 * 2, abs=6)
        assert one["started"] + one["unstarted"] == due
        assert one["unstarted"] <= 2
        for number in range(2):
            mine = np.sort(samples["scheduled"][(samples["policy"] == index) & (samples["round"] == number)])
            assert np.abs(np.diff(mine) - 2_500_000).max() <= 1
        assert (samples["queue"] >= samples["late"]).all()
        assert (samples["late"] >= 0).all()
    assert summary["policies"]["close"]["connections"]["requests_per_connection"] == 1.0
    account = target.stats()
    assert account["accepted"] == sum(one["connections"]["opened"] for one in summary["policies"].values())
    assert summary["plan"]["rate_rps"] == 400


def test_policies_of_a_round_meet_the_same_arrivals(share_target: Start, tmp_path: Path) -> None:
    arguments = ["--rate", "300", "--arrivals", "poisson", "--block", "600ms", "--warmup", "100ms", "--seed", "5"]
    compare(share_target().url, tmp_path / "run", *arguments)
    samples = samples_of(tmp_path / "run")
    gaps = {}
    for policy, number in itertools.product((0, 1), (0, 1)):
        mine = np.sort(samples["scheduled"][(samples["policy"] == policy) & (samples["round"] == number)])
        gaps[policy, number] = set(np.diff(mine).tolist())
    # The windows may begin some arrivals apart.
    for number in (0, 1):
        both = gaps[0, number] & gaps[1, number]
        assert len(both) > 0.7 * len(gaps[0, number])
    assert len(gaps[0, 0] & gaps[0, 1]) < 3


@pytest.mark.alone  # it measures time
def test_a_target_too_slow_is_told_from_a_generator_too_slow(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--delay", "50ms")
    load = ["--rate", "200", "--max-connections", "2", "--policies", "persistent", "--block", "1s", "--warmup", "200ms"]
    summary = compare(target.url, tmp_path / "run", *load)
    one = summary["policies"]["persistent"]
    assert one["connections"]["opened"] == one["connections"]["ideal"] == 2 * 2
    # Two connections carry 40 responses a second; the others wait in a line that grows.
    assert one["unstarted"] > 0.5 * one["arrivals"]["due"]
    codes = {warning["code"] for warning in summary["warnings"]}
    assert "arrivals_not_started" in codes
    assert one["phases_ns"]["queue"]["p99"] > 100_000_000
    assert one["arrivals"]["late_p50_ns"] < 5_000_000


@pytest.mark.alone  # it measures time
def test_a_stall_counts_for_all_who_were_due_in_it(tmp_path: Path) -> None:
    """Coordinated omission: a closed loop has one long sample, the open loop one for each arrival that it held up."""
    stalled = threading.Lock()
    served = itertools.count()

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            with stalled:
                if next(served) % 300 == 150:
                    threading.Event().wait(0.3)
                connection.sendall(HELLO)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        common = ["--policies", "persistent", "--block", "2s", "--warmup", "100ms", "--rounds", "1"]
        compare(url, tmp_path / "closed", *common, "--users", "1", "--think", "5ms")
        compare(url, tmp_path / "open", *common, "--rate", "200", "--max-connections", "50")
    slow = {}
    for name in ("closed", "open"):
        samples = samples_of(tmp_path / name)
        phases = ("queue", "connect", "send", "wait", "receive")
        latency = sum(np.maximum(samples[phase], 0) for phase in phases)
        slow[name] = np.count_nonzero(latency > 100_000_000)
    assert slow["closed"] <= 3
    # 200 arrivals a second meet 0.3 s of silence: 40 of them wait longer than 0.1 s, once or more.
    assert slow["open"] >= 30


def test_a_pool_bounds_the_open_loop_too(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--delay", "5ms")
    load = ["--rate", "300", "--policies", "pool:1,pool:8:fifo", "--block", "600ms", "--warmup", "100ms"]
    policies = compare(target.url, tmp_path / "run", *load)["policies"]
    assert policies["pool:1"]["connections"]["opened"] == 2
    assert policies["pool:8:fifo"]["connections"]["opened"] <= 16
    assert policies["pool:1"]["phases_ns"]["queue"]["p50"] > 20 * policies["pool:8:fifo"]["phases_ns"]["queue"]["p50"]


def test_a_dead_target_in_mid_run_is_survived(tmp_path: Path) -> None:
    answered = itertools.count()

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            if next(answered) > 60:
                return
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        summary = compare(url, tmp_path / "run", "--rate", "400", "--policies", "persistent", "--block", "400ms")
    one = summary["policies"]["persistent"]
    assert one["requests"] > 0
    assert set(one["errors"]) <= {"stale_connection", "closed_without_response"}
    assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
