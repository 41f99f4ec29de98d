"""`loadgen compare` end to end, checked against the target's own account and the contract."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loadgen import load_run
from loadgen.model.records import COLUMNS
from tests.support.processes import (
    HELLO,
    QUICK,
    compare,
    loadgen,
    loadgen_process,
    lose_the_third,
    read_request,
    scripted_server,
    wait_until,
)
from tests.support.runs import Start, check_account
from tests.support.summary_schema import check_blocks

CHARTS = {"extra_time", "over_time", "percentiles", "phases", "requests_per_connection", "throughput"}
ON_A_SLOW_MACHINE = {"by_position"}
"""Drawn where the first requests of connections came after the warm-up."""


def test_counts_equal_the_targets(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    summary = compare(target.url, tmp_path / "run", "--users", "7", "--warmup", "100ms")  # no first request after it
    check_account(summary)
    persistent, close = (summary["policies"][name]["connections"] for name in ("persistent", "close"))
    account = target.stats()
    assert account["accepted"] == persistent["opened"] + close["opened"]
    assert account["requests"] == persistent["exchanges_with_warmup"] + close["exchanges_with_warmup"]
    assert account["open"] == 0
    assert persistent["opened"] == persistent["ideal"] == 7 * 2
    assert persistent["reuse_ratio"] == 1.0
    assert persistent["requests_per_connection"] > 10
    assert (close["requests_per_connection"], close["reuse_ratio"], close["ideal"]) == (1.0, 0.0, 14)
    comparison = summary["comparisons"][0]
    assert (comparison["baseline"], comparison["candidate"]) == ("persistent", "close")
    assert comparison["latency_mean_delta_ns"] == comparison["handshake_mean_ns"] + comparison["residual_mean_ns"]
    assert comparison["latency_p50_delta_ns"] > 0
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        assert set(samples) >= set(COLUMNS) - {"address"}  # which is there where connections go to several
        check_blocks(json.loads(samples["blocks"].tobytes()))
        assert len(samples["wait"]) == sum(one["started"] for one in summary["policies"].values())
        closing = samples["policy"] == 1
        assert (samples["connect"][closing] > 0).all()
        assert (samples["connect"][~closing] == -1).all()
        assert (samples["tls"] == -1).all()


def test_phases_and_own_work_of_a_user_never_overlap(share_target: Start, tmp_path: Path) -> None:
    """A user sends one request at a time, so what is reported of one is over when the next begins."""
    compare(share_target().url, tmp_path / "run", "--users", "3")
    samples = load_run(tmp_path / "run").samples
    complete = samples["error"] == ""
    assert complete.all()
    for name in ("send_ns", "wait_ns", "receive_ns", "own_ns"):
        assert (samples[name] >= 0).all(), name
    ends = samples["scheduled_ns"] + samples["latency_ns"] + samples["own_ns"]
    for user in range(3):
        chosen = np.flatnonzero(samples["user"] == user)
        in_order = chosen[np.argsort(samples["scheduled_ns"][chosen])]
        assert len(in_order) > 10
        assert (ends[in_order[:-1]] <= samples["scheduled_ns"][in_order[1:]]).all()


def test_without_url_the_embedded_target_serves(tmp_path: Path) -> None:
    done = loadgen("compare", "--name", "mine", "--json", "--users", "5", *QUICK, "--warmup", "60ms", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    folder = tmp_path / "results" / "mine"
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8")) == summary
    charts = {path.stem for path in folder.glob("*.png")}
    assert charts == {path.stem for path in folder.glob("*.svg")}
    assert charts - ON_A_SLOW_MACHINE == CHARTS
    assert (folder / "report.html").stat().st_size > 100_000
    account = summary["environment"]["embedded_target"]
    assert account["accepted"] == sum(one["connections"]["opened"] for one in summary["policies"].values())


def test_tls_is_verified_and_counted_by_what_the_handshake_did(tmp_path: Path) -> None:
    done = loadgen(
        *(
            "compare",
            "--tls",
            "--policies",
            "persistent,close,close-resume,early-data",
            "--out",
            "run",
            "--json",
            "--users",
            "3",
        ),
        *("--no-charts", *QUICK),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    check_account(summary)
    counts = {name: one["connections"] for name, one in summary["policies"].items()}
    assert counts["close"]["tls_full"] == counts["close"]["opened"] > 10
    assert counts["close"]["tls_resumed"] == 0
    assert counts["close-resume"]["tls_full"] == 3 * 2  # each user's first, in each block
    assert counts["close-resume"]["tls_resumed"] == counts["close-resume"]["opened"] - 6 > 10
    assert counts["persistent"]["tls_full"] == counts["persistent"]["opened"] == 6
    early = counts["early-data"]["early_data"]
    assert early == {"accepted": counts["early-data"]["tls_resumed"], "rejected": 0, "replayed": 0}
    assert summary["environment"]["embedded_target"]["early_data"] == {"accepted": early["accepted"]}
    assert summary["policies"]["close"]["phases_ns"]["tls"]["count"] == summary["policies"]["close"]["requests"]
    assert summary["environment"]["target"]["tls"]["version"] == "TLSv1.3"


def test_a_server_that_ignores_close_is_counted_and_left(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--ignore-close")
    summary = compare(target.url, tmp_path / "run", "--users", "4")
    close = summary["policies"]["close"]["connections"]
    assert close["server_ignored_close"] == close["opened"]
    assert close["closed_by"]["server"] == 0
    assert set(target.stats()["requests_per_connection"]) > {"1"}
    assert "server_ignored_close" in {warning["code"] for warning in summary["warnings"]}


def test_a_server_that_closes_after_k(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--close-after", "3")
    summary = compare(target.url, tmp_path / "run", "--users", "4", "--policies", "persistent")
    connections = summary["policies"]["persistent"]["connections"]
    assert connections["opened"] == target.stats()["accepted"]
    assert 2.5 < connections["requests_per_connection"] <= 3
    assert 0.5 < connections["reuse_ratio"] < 0.75
    assert connections["closed_by"]["server"] > connections["closed_by"]["client"]
    assert "connections_not_ideal" in {warning["code"] for warning in summary["warnings"]}
    assert summary["environment"]["target"]["keep_alive_max"] == 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_methods_and_bodies(share_target: Start, tmp_path: Path, method: str) -> None:
    target = share_target("--size", "3000")
    body = tmp_path / "body"
    body.write_bytes(b"x" * 300_000)
    data = [] if method in ("GET", "HEAD") else ["--data", f"@{body}"]
    summary = compare(
        target.url, tmp_path / "run", "-X", method, "-H", "X-Mine: yes", "--users", "2", "--rounds", "1", *data
    )
    check_account(summary)
    for one in summary["policies"].values():
        assert one["errors"] == {}
        assert one["requests"] > 0
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        assert (samples["bytes_received"].min() > 3000) == (method != "HEAD")
        assert (samples["bytes_sent"].min() > 300_000) == bool(data)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "truncated"),
        (b"SSH-2.0-nonsense\r\n\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "head_too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "body_too_large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", "malformed"),
        (b"", "closed_without_response"),
    ],
)
def test_bad_responses_are_counted_and_the_run_goes_on(tmp_path: Path, response: bytes, kind: str) -> None:
    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            bad = number % 2 == 1
            connection.sendall(response if bad else HELLO)
            if bad:
                return

    with scripted_server(script) as port:
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", "--users", "2", "--policies", "close")
    check_account(summary)
    one = summary["policies"]["close"]
    assert set(one["errors"]) == {kind}
    assert one["requests"] > 0
    assert "errors" in {warning["code"] for warning in summary["warnings"]}


def test_an_endless_body_ends_at_the_limit(tmp_path: Path) -> None:
    def script(connection: socket.socket, number: int) -> None:
        if read_request(connection) and number == 0:
            connection.sendall(HELLO)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        done = loadgen(
            "compare", url, "--out", "run", "--max-body", "200000", "--users", "1", "--no-charts", *QUICK, cwd=tmp_path
        )
    assert done.returncode == 3
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert {kind for one in summary["policies"].values() for kind in one["errors"]} == {"body_too_large"}


def test_stale_connections_are_counted_not_retried(tmp_path: Path) -> None:
    with scripted_server(lose_the_third) as port:
        url = f"http://127.0.0.1:{port}/"
        summary = compare(url, tmp_path / "run", "--users", "1", "--policies", "persistent")
    one = summary["policies"]["persistent"]
    assert set(one["errors"]) == {"stale_connection"}
    # What was answered, and at the end of each block a connection that had not come so far.
    assert 1.9 < one["connections"]["requests_per_connection"] <= 2


def test_a_silent_server_runs_into_the_deadline(tmp_path: Path) -> None:
    def script(connection: socket.socket, number: int) -> None:
        if number < 2:
            while read_request(connection):
                connection.sendall(HELLO)
        read_request(connection)
        read_request(connection)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        summary = compare(
            url, tmp_path / "run", "--users", "3", "--policies", "persistent", "--timeout", "100ms", "--block", "300ms"
        )
    assert set(summary["policies"]["persistent"]["errors"]) <= {"response_timeout"}
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        late = samples["error"] > 0
        assert late.any()
        # The generator's own time between two phases counts for the deadline too, and is in none of them.
        spent = sum(np.maximum(samples[part][late], 0) for part in ("connect", "send", "wait", "own"))
        assert (spent >= 100_000_000).all()
        assert (spent < 400_000_000).all()


def test_names_ipv6_and_the_next_address(tmp_path: Path) -> None:
    hosts = []

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            hosts.append(next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:")))
            connection.sendall(HELLO)

    with scripted_server(script, socket.AF_INET6, "::1") as port:
        summary = compare(f"http://[::1]:{port}/", tmp_path / "six", "--users", "1")
    assert summary["environment"]["target"]["address"] == "::1"
    assert set(hosts) == {b"Host: [::1]:%d" % port}
    # `localhost` may mean ::1 first; the server listens on 127.0.0.1 alone.
    with scripted_server(script) as port:
        summary = compare(f"http://localhost:{port}/", tmp_path / "name", "--users", "1")
    assert summary["environment"]["target"]["address"] == "127.0.0.1"
    assert hosts[-1] == b"Host: localhost:%d" % port
    # The first connection resolved the name in its warm-up; no address that refused counts as opened.
    assert summary["policies"]["persistent"]["connections"]["opened"] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_are_saved_and_reported(share_target: Start, tmp_path: Path, number: int) -> None:
    target = share_target("--delay", "30ms")
    load = ("--users", "6", "--block", "60s")
    arguments = ["compare", target.url, "--out", str(tmp_path / "run"), "--json", "--no-charts", *load]
    process = subprocess.Popen([sys.executable, "-m", "loadgen", *arguments], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: target.stats()["requests"] >= 200, process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    summary = json.loads(out)
    check_account(summary)
    assert "interrupted" in {warning["code"] for warning in summary["warnings"]}
    assert sum(one["requests"] for one in summary["policies"].values()) > 50
    assert (tmp_path / "run" / "summary.json").exists()
    assert target.stats()["open"] == 0


def test_a_killed_worker_loses_nothing(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    arguments = ["compare", target.url, "--out", str(tmp_path / "run"), "--json", "--users", "3", "--block", "60s"]
    arguments.append("--no-charts")
    process = subprocess.Popen([sys.executable, "-m", "loadgen", *arguments], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: target.stats()["requests"] >= 4_000, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(children[0]), signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    summary = json.loads(out)
    assert "died" in {warning["code"] for warning in summary["warnings"]}
    assert sum(block["exchanges"] for block in summary["blocks"]) > 3_000


def test_a_server_that_closes_without_a_word_did_not_ignore_close(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        if read_request(connection):
            connection.sendall(HELLO)  # announces nothing, and closes a moment later

    with scripted_server(script) as port:
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", "--users", "3", "--policies", "close")
    check_account(summary)
    connections = summary["policies"]["close"]["connections"]
    assert connections["opened"] > 20
    assert connections["server_ignored_close"] <= connections["opened"] * 0.05  # threads may be slower than the grace


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_before_anything_was_counted(share_target: Start, tmp_path: Path, presses: int) -> None:
    target = share_target("--delay", "20ms")
    arguments = [
        "compare",
        target.url,
        "--out",
        str(tmp_path / "run"),
        "--users",
        "2",
        "--block",
        "60s",
        "--warmup",
        "50s",
        "--no-charts",
    ]
    process = subprocess.Popen([sys.executable, "-m", "loadgen", *arguments], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: target.stats()["requests"] >= 5, process)
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complaint
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_window_that_requests_outlast_is_warned_of(share_target: Start, tmp_path: Path) -> None:
    done = loadgen(
        "compare",
        share_target("--delay", "400ms").url,
        "--out",
        "run",
        "--no-charts",
        *QUICK,
        "--users",
        "2",
        cwd=tmp_path,
    )
    assert done.returncode == 3
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert {"window_outlasted", "no_samples"} <= {warning["code"] for warning in summary["warnings"]}
    assert "--block" in done.stdout


@pytest.mark.parametrize("arguments", [["--delay", "150ms", "--idle-timeout", "50ms"], ["--size", "5000000"]])
def test_the_target_serves_slow_and_long_responses(share_target: Start, tmp_path: Path, arguments: list[str]) -> None:
    target = share_target("--tls", *arguments)
    trust = ["--cacert", str(target.ca_file)]
    summary = compare(
        target.url, tmp_path / "run", *trust, "--users", "2", "--block", "500ms", "--policies", "persistent"
    )
    assert summary["policies"]["persistent"]["requests"] > 2
    assert summary["policies"]["persistent"]["errors"] == {}


@pytest.mark.parametrize("warmup", ["20ms", "50s"])
def test_a_full_disk_ends_the_run_and_keeps_what_there_is(share_target: Start, tmp_path: Path, warmup: str) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))

    target = share_target()
    arguments = ["--out", "run", "--users", "5", "--json", "--no-charts", "--block", "60s", "--warmup", warmup]
    done = loadgen_process("compare", target.url, *arguments, cwd=tmp_path, preexec_fn=limit)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    summary = json.loads(done.stdout)
    assert "disk_full" in {warning["code"] for warning in summary["warnings"]}
    # Two segments of about 1 MiB, of rows of 128 bytes, and in the third one what was under way.
    (one,) = (one for one in summary["policies"].values() if one["connections"]["opened"])
    exchanges = one["connections"]["exchanges_with_warmup"]
    assert exchanges > 16_000
    check_account(summary)
    account = target.stats()
    opened = one["connections"]["opened"]
    assert opened == sum(one["connections"]["endings"].values()) <= account["accepted"] <= opened + 5
    assert exchanges <= account["requests"] <= exchanges + 5
    assert one["lost"] is None


def test_a_full_disk_from_the_start(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))

    done = loadgen_process("compare", "--out", "run", *QUICK, cwd=tmp_path, preexec_fn=limit)
    assert done.returncode == 2
    assert "can't write to" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_run_is_rebuilt_from_its_folder(share_target: Start, tmp_path: Path) -> None:
    first = compare(share_target().url, tmp_path / "run", "--users", "2", "--warmup", "60ms")
    assert not list((tmp_path / "run").glob("*.*g"))  # --no-charts
    assert not (tmp_path / "run" / "report.html").exists()
    (tmp_path / "run" / "summary.json").unlink()
    done = loadgen("report", str(tmp_path / "run"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == first
    assert (tmp_path / "run" / "report.html").stat().st_size > 100_000
    assert {path.stem for path in (tmp_path / "run").glob("*.svg")} - ON_A_SLOW_MACHINE == CHARTS


def test_fds_above_1024_are_still_reused(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    load = ("--users", "1500", "--policies", "persistent", "--rounds", "1", "--block", "1s", "--warmup", "500ms")
    summary = compare(target.url, tmp_path / "run", *load)
    connections = summary["policies"]["persistent"]["connections"]
    assert connections["opened"] == connections["ideal"] == target.stats()["accepted"] == 1500
    # On a busy machine some users may begin only after the warm-up.
    assert connections["reuse_ratio"] > 0.9


def test_secrets_stay_out_of_the_results(share_target: Start, tmp_path: Path) -> None:
    compare(share_target().url, tmp_path / "run", "-H", "Authorization: Bearer sesame", "--users", "1")
    for path in (tmp_path / "run").iterdir():
        assert b"sesame" not in path.read_bytes(), path
