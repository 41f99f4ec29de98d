"""Locust without a web UI, in one process: what is printed, what is left, how it ends; counted as the target counts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.locusts import (
    PACED,
    account,
    await_rounds,
    check_sums,
    counts,
    csv_rows,
    endless,
    headless,
    running,
    summary,
)
from tests.support.processes import read_request, scripted_server
from tests.support.targets import Target

# Each locustfile


def test_compare_prints_the_comparison_and_leaves_a_run(tmp_path: Path) -> None:
    options = ("--csv", "stats", "--html", "stats.html", "--run-name", "mine")
    done = headless("compare.py", tmp_path, *options, seconds=3, draws=True)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    assert found["run"] == "mine"
    assert "\n".join(found["verdict_lines"]) in done.stdout
    assert "opened" in done.stdout
    assert list(found["policies"]) == ["persistent", "close"]
    assert found["comparisons"][0]["latency_p50_delta_ci95"] is not None
    check_sums(found)
    assert counts(found) == account(found)
    for name in ("samples.npz", "report.html", "extra_time.svg", "run.json"):
        assert (tmp_path / "results/mine" / name).stat().st_size > 0
    assert not list((tmp_path / "results/mine").glob("worker-*"))
    rows = csv_rows(tmp_path)
    # Locust's statistics hold every request, the warm-up's too, to the microsecond.
    assert int(rows["Aggregated"]["Request Count"]) == account(found)[0]
    p50_ms = found["policies"]["persistent"]["latency_ns"]["p50"] / 1e6
    assert float(rows["/ [persistent]"]["50%"]) == pytest.approx(p50_ms, rel=0.25)
    assert "/ [close]" in (tmp_path / "stats.html").read_text(encoding="utf-8")


def test_persistent_with_json_alone_on_standard_output(tmp_path: Path) -> None:
    done = headless("persistent.py", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    (entry,) = json.loads(done.stdout)
    assert entry["name"] == "/ [persistent]"
    assert entry["num_requests"] == account(found)[0] == counts(found)[0]
    assert counts(found) == account(found)
    check_sums(found)
    assert found["policies"]["persistent"]["requests"] > 0
    assert "there is nothing to compare it with" in done.stderr


def test_non_persistent_over_tls_trusts_the_embedded_target_by_itself(tmp_path: Path) -> None:
    gates = ("--fail-if", "tls_full > 3", "--max-errors", "1%")
    done = headless("non_persistent.py", tmp_path, "--tls", *gates, "--export", "csv", "--export", "junit=gates.xml")
    assert done.returncode == 1, done.stderr  # by the gate alone
    assert "loadgen: gate failed: tls_full > 3: close: " in done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    assert found["plan"]["url"].startswith("https://")
    assert counts(found) == account(found)
    check_sums(found)
    assert found["policies"]["close"]["requests"] > 0
    failed = ElementTree.parse(tmp_path / "gates.xml").findall(".//testcase/failure/..")
    assert [one.get("name") for one in failed] == ["tls_full > 3"]
    (rows,) = tmp_path.glob("results/*/samples.csv")
    assert rows.read_text(encoding="utf-8").count("\n") == found["policies"]["close"]["started"] + 1


def test_side_by_side_users_of_two_policies_share_the_rounds(tmp_path: Path) -> None:
    done = headless("side_by_side.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    kept = found["policies"]["persistent"]["connections"]
    assert kept["opened"] == kept["ideal"]
    assert found["policies"]["close"]["connections"]["reuse_ratio"] == 0
    rounds = {block["round"] for block in found["blocks"]}
    for policy in ("persistent", "close"):
        assert found["policies"][policy]["requests"] > 0
        assert {block["round"] for block in found["blocks"] if block["policy"] == policy} == rounds


# Exit codes


def test_bad_input_is_refused_in_one_line(tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, "--policies", "persistent,clsoe")
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("loadgen: ")]
    assert "the policy 'clsoe' is unknown" in line
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_https_without_trust_says_what_to_do(tmp_path: Path, share_target: Callable[..., Target]) -> None:
    target = share_target("--tls")
    done = headless("compare.py", tmp_path, "-H", target.url)
    assert done.returncode == 3
    assert "--cacert FILE" in done.stderr
    assert {kind for one in summary(tmp_path)["policies"].values() for kind in one["errors"]} == {"tls_untrusted"}


def test_a_host_that_refuses_is_said_so_and_no_longer_block_is_advised(tmp_path: Path, closed_port: int) -> None:
    done = headless("compare.py", tmp_path, "-H", f"http://127.0.0.1:{closed_port}", seconds=4)
    assert done.returncode == 3
    found = summary(tmp_path)
    assert {kind for one in found["policies"].values() for kind in one["errors"]} == {"connect_refused"}
    (line,) = [line for line in done.stderr.splitlines() if "ERROR" in line and "loadgen: " in line]
    assert "refused" in line
    assert all("refused" in said for said in found["verdict_lines"][:1])
    assert "--block" not in done.stdout + done.stderr + json.dumps(found["verdict_lines"])


def refuse_three_times(connection: socket.socket, _number: int) -> None:
    """Three answers of 503, then a close that nothing announced."""
    for _ in range(3):
        if read_request(connection):
            connection.sendall(b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n")


def test_statuses_from_400_on_and_errors_are_failures_for_locust(tmp_path: Path) -> None:
    with scripted_server(refuse_three_times) as port:
        done = headless(
            *("compare.py", tmp_path, "-H", f"http://127.0.0.1:{port}", "--exit-code-on-error", "9"),
            *("--policies", "ignore-close,persistent"),
            seconds=4,
        )
    assert done.returncode == 9
    assert "GET / [persistent]: 503" in done.stderr
    assert "stale_connection" in done.stdout
    policies = summary(tmp_path)["policies"]
    assert set(policies["persistent"]["statuses"]) == {"503"}
    assert policies["ignore-close"]["errors"]["stale_connection"] > 0


# Ends that were not planned


def test_ctrl_c_and_sigterm_save_what_was_measured(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    for name in ("SIGINT", "SIGTERM"):
        target = start_target()
        with running(tmp_path / name, *endless("-H", target.url, *PACED)) as process:
            await_rounds(process, target, 1)
            if name == "SIGINT":
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            else:
                process.terminate()
            out, _ = process.communicate(timeout=60)
        found = summary(tmp_path / name)
        check_sums(found)
        assert "\n".join(found["verdict_lines"]) in out
        if name == "SIGINT":
            assert process.returncode == 0, out
            # The account's own requests for statistics are in neither.
            assert counts(found)[0] == target.stats()["requests"]


def test_a_full_disk_ends_the_run_with_what_there_is(tmp_path: Path, share_target: Callable[..., Target]) -> None:
    line = endless("-H", share_target().url, "-t", "30s", "--think", "0s")
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 2500; exec "$@"', "bash", *line],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "the run's samples can't be written any more" in done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert sum(one["requests"] for one in found["policies"].values()) > 1_000


def test_secrets_are_in_no_output_and_in_no_statistics(tmp_path: Path) -> None:
    canary = "c4n4ryS3cret"
    headers = ("--header", f"Authorization: Bearer {canary}", "--header", f"X-Api-Key: {canary}")
    request = ("--method", "POST", "--path", f"/?a=1&token={canary}", "--data", f"password={canary}", *headers)
    done = headless("compare.py", tmp_path, *request, "--csv", "stats", "--html", "s.html")
    assert done.returncode == 0, done.stderr
    assert canary not in done.stdout + done.stderr
    assert "/?a=1&token=*** [persistent]" in csv_rows(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 10
    assert [path for path in files if canary.encode() in path.read_bytes()] == []
    assert summary(tmp_path)["plan"]["url"].endswith("/?a=1&token=***")
