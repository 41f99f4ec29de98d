"""Locust on the engine: headless runs, distributed ones, and what goes wrong, against the target's own account."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.locusts import BLOCKS, command, counts, headless, running, summary
from tests.support.processes import await_port, free_port, read_request, scripted_server
from tests.support.targets import Target


def account(found: dict[str, Any]) -> tuple[int, int]:
    """Requests and connections as the embedded target counted them."""
    own = found["environment"]["embedded_target"]
    return own["requests"], own["accepted"]


def check_sums(found: dict[str, Any]) -> None:
    for one in found["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]


def check_but_for_the_killed(found: dict[str, Any], users: int) -> None:
    """Locust kills users in the middle of a request: the target then saw one, or its connection, that has no answer."""
    for mine, targets in zip(counts(found), account(found), strict=True):
        assert 0 <= targets - mine <= users


def test_a_headless_run_prints_the_comparison_and_leaves_a_run(tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, "--csv", "stats", "--html", "stats.html", "--run-name", "mine", seconds=4)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    assert found["run"] == "mine"
    assert found["verdict"] in done.stdout
    assert "opened" in done.stdout
    assert list(found["policies"]) == ["persistent", "close"]
    assert found["comparisons"][0]["latency_p50_delta_ci95"] is not None
    check_sums(found)
    assert counts(found) == account(found)
    for name in ("samples.npz", "report.html", "extra_time.svg", "run.json"):
        assert (tmp_path / "results/mine" / name).stat().st_size > 0
    assert not list((tmp_path / "results/mine").glob("worker-*"))
    with (tmp_path / "stats_stats.csv").open(encoding="utf-8") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    # Locust's statistics hold every request, the warm-up's too, to the microsecond.
    assert int(rows["Aggregated"]["Request Count"]) == account(found)[0]
    p50_ms = found["policies"]["persistent"]["latency_ns"]["p50"] / 1e6
    assert float(rows["/ [persistent]"]["50%"]) == pytest.approx(p50_ms, rel=0.25)
    assert "/ [close]" in (tmp_path / "stats.html").read_text(encoding="utf-8")


def test_protocols_take_turns_on_several_processes(tmp_path: Path) -> None:
    """What a block knows of its connections beside their rows goes the way to the master too."""
    names = "persistent,websocket,h2c-upgrade,h2+streams:3"
    done = headless("compare.py", tmp_path, "--policies", names, "--processes", "2", seconds=6)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    assert list(found["policies"]) == names.split(",")
    for name, one in found["policies"].items():
        assert one["errors"] == {}
        expected = 0 if name == "persistent" else one["connections"]["opened"]
        assert one["connections"]["upgraded"] == expected
        assert (one["not_echoed"], one["connections"]["server_ignored_close"]) == (0, 0)
    assert found["policies"]["websocket"]["upgrade"]["mean_ns"] > 0


def test_json_is_alone_on_standard_output(tmp_path: Path) -> None:
    done = headless("persistent.py", tmp_path, "--json", seconds=2)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)
    assert entry["name"] == "/ [persistent]"
    assert entry["num_requests"] == account(summary(tmp_path))[0]
    assert "there is nothing to compare it with" in done.stderr


@pytest.mark.parametrize("locustfile", ["persistent.py", "non_persistent.py", "side_by_side.py", "scenario.py"])
def test_every_locustfile_runs_as_it_is(locustfile: str, tmp_path: Path) -> None:
    done = headless(locustfile, tmp_path)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    if locustfile == "scenario.py":
        check_but_for_the_killed(found, users=4)
    else:
        assert counts(found) == account(found)
    assert "Traceback" not in done.stderr
    for name, one in found["policies"].items():
        assert one["requests"] > 50, name


def test_users_of_two_policies_at_the_same_time_share_the_rounds(tmp_path: Path) -> None:
    assert headless("side_by_side.py", tmp_path).returncode == 0
    found = summary(tmp_path)
    assert found["policies"]["persistent"]["connections"]["reuse_ratio"] > 0.99
    assert found["policies"]["close"]["connections"]["reuse_ratio"] == 0
    rounds = {block["round"] for block in found["blocks"]}
    for policy in ("persistent", "close"):
        assert {block["round"] for block in found["blocks"] if block["policy"] == policy} == rounds


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_give_one_merged_result(processes: int, tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, "--processes", str(processes), "--csv", "stats", users=7, seconds=4)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    with np.load(next((tmp_path / "results").glob("*/samples.npz"))) as samples:
        assert sorted(set(samples["worker"])) == list(range(processes))
    # Seven users in all, each with a connection of its own in each block.
    for block in found["blocks"]:
        if block["policy"] == "persistent":
            assert block["connections"]["opened"] == 7
    assert found["plan"]["users"] == 7
    with (tmp_path / "stats_stats.csv").open(encoding="utf-8") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert int(rows["Aggregated"]["Request Count"]) == account(found)[0]


def test_scenarios_on_several_processes_count_right(tmp_path: Path) -> None:
    done = headless("scenario.py", tmp_path, "--processes", "2", users=6)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    check_but_for_the_killed(found, users=6)


def test_a_share_of_the_samples_has_exact_counts(tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, "--processes", "2", "--max-samples", "2000")
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    with np.load(next((tmp_path / "results").glob("*/samples.npz"))) as samples:
        assert 1_000 < len(samples["scheduled"]) < 5_000
    assert sum(one["requests"] for one in found["policies"].values()) > 10_000
    assert "samples_thinned" in {warning["code"] for warning in found["warnings"]}


def workers_of(port: int, number: int) -> list[list[str]]:
    line = command("compare.py", "--worker", "--master-host", "127.0.0.1", "--master-port", str(port))
    return [line] * number


def test_a_killed_worker_is_named_and_the_others_count(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target, port = start_target(), free_port()
    master = command(
        *("compare.py", "--master", "--headless", "--expect-workers", "2", "-u", "4", "-r", "4", "-t", "16s"),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "-H", target.url, "--only-summary"),
        *BLOCKS,
    )
    one, other = workers_of(port, 2)
    with (
        running(tmp_path, *master) as process,
        running(tmp_path, *one) as victim,
        running(tmp_path, *other) as survivor,
    ):
        while target.stats()["requests"] < 3_000:
            assert process.poll() is None
        os.kill(victim.pid, signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
        survivor.communicate(timeout=30)
    assert process.returncode == 0, out
    found = summary(tmp_path)
    (lost,) = [warning for warning in found["warnings"] if warning["code"] == "worker_lost"]
    assert "one of 2 workers" in lost["message"]
    check_sums(found)
    with np.load(next((tmp_path / "results").glob("*/samples.npz"))) as samples:
        assert len(set(samples["worker"])) == 1
    # What is left was counted once: each block has the connections of the two users of the one worker.
    for block in found["blocks"]:
        if block["policy"] == "persistent":
            assert block["connections"]["opened"] == 2
    assert counts(found)[0] < target.stats()["requests"]
    assert len({block["round"] for block in found["blocks"]}) >= 3


def test_a_late_worker_begins_with_a_round(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target, port = start_target(), free_port()
    master = command(
        *("compare.py", "--master", "--headless", "--expect-workers", "1", "-u", "4", "-r", "4", "-H", target.url),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "--only-summary", *BLOCKS),
        *("--policies", "persistent,close,recycle:10", "--think", "1ms"),
    )
    one, late = workers_of(port, 2)
    with running(tmp_path, *master) as process, running(tmp_path, *one):
        while target.stats()["requests"] < 1_000:
            assert process.poll() is None
        with running(tmp_path, *late):
            before = target.stats()["requests"]
            while target.stats()["requests"] < before + 12_000:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    found = summary(tmp_path)
    with np.load(next((tmp_path / "results").glob("*/samples.npz"))) as samples:
        assert len(set(samples["worker"])) == 2, out
    places: dict[int, set[int]] = {}
    for block in found["blocks"][:-3]:  # the last round was cut
        places.setdefault(block["round"], set()).add(block["connections"]["slots"])
    assert all(len(found) == 1 for found in places.values()), places


def test_when_all_workers_are_lost_the_run_ends_and_says_so(
    tmp_path: Path, start_target: Callable[..., Target]
) -> None:
    target, port = start_target(), free_port()
    master = command(
        *("compare.py", "--master", "--headless", "--expect-workers", "1", "-u", "2", "-r", "2", "-H", target.url),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "--only-summary", *BLOCKS),
    )
    (one,) = workers_of(port, 1)
    with running(tmp_path, *master) as process, running(tmp_path, *one) as victim:
        while target.stats()["requests"] < 1_000:
            assert process.poll() is None
        os.kill(victim.pid, signal.SIGKILL)
        # Locust itself stops its test then, and leaves it to us to end.
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "all workers were lost, and what they had measured with them" in out


def test_an_answer_of_400_or_more_is_a_failure_for_locust(tmp_path: Path) -> None:
    def refuse(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n")

    with scripted_server(refuse) as port:
        done = headless("persistent.py", tmp_path, "-H", f"http://127.0.0.1:{port}", "--exit-code-on-error", "9")
    assert done.returncode == 9
    assert "GET / [persistent]: 503" in done.stderr
    assert set(summary(tmp_path)["policies"]["persistent"]["statuses"]) == {"503"}


def test_a_run_that_is_too_short_for_its_ramp_says_so(tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, "-r", "1", users=9, seconds=2)
    assert "the run time of 2 s holds no whole round; give it more, or start users faster" in done.stderr


def test_options_that_the_form_does_not_offer_can_not_be_set_by_it(tmp_path: Path) -> None:
    port = free_port()
    line = command("compare.py", "--web-host", "127.0.0.1", "--web-port", str(port), *BLOCKS)
    with running(tmp_path, *line):
        await_port(port)
        for name, value in (("results", str(tmp_path / "elsewhere")), ("seed", "3"), ("max_samples", "x")):
            form = urllib.parse.urlencode({"user_count": 1, "spawn_rate": 1, "host": "", name: value}).encode()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/swarm", form) as response:
                answer = json.load(response)
            assert not answer["success"]
            assert "is set on the command line, not here" in answer["message"]
    assert not (tmp_path / "elsewhere").exists()


def test_a_worker_of_another_version_is_refused(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target, port = start_target(), free_port()
    old = tmp_path / "old.py"
    old.write_text(
        "import loadgen\nloadgen.__version__ = '0.0.9'\nfrom loadgen.swarm import SwarmUser\n\n"
        "class Alternating(SwarmUser):\n    pass\n",
        encoding="utf-8",
    )
    master = command(
        *("compare.py", "--master", "--headless", "--expect-workers", "1", "-u", "2", "-r", "2", "-t", "3s"),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", str(port), "-H", target.url, "--only-summary"),
        *BLOCKS,
    )
    with running(tmp_path, *master) as process:
        stranger = subprocess.run(
            command(old, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port)),
            capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert stranger.returncode == 2
        assert "has loadgen 0.0.9, the master" in stranger.stderr
        with running(tmp_path, *workers_of(port, 1)[0]):
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "install the same version on both" in out
    check_sums(summary(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-H", "nonsense"], "has no scheme; write it like http://nonsense"),
        (["-H", "ftp://127.0.0.1"], "use http or https"),
        (["--policies", "persistent,clsoe"], "the policy 'clsoe' is unknown"),
        (["--block", "soon"], "--block: 'soon' is not a duration"),
        (["--cacert", "/nowhere.pem", "-H", "https://localhost"], "--cacert /nowhere.pem: No such file or directory"),
        (["--policies", "close-resume"], "resumes TLS sessions"),
        (["--header", "Connection: close"], "the connection policy sets it"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = headless("compare.py", tmp_path, *arguments)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("loadgen: ")]
    assert message in line
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_https_without_trust_says_what_to_do(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target("--tls")
    done = headless("compare.py", tmp_path, "-H", target.url, seconds=2)
    assert done.returncode == 3
    assert "--cacert FILE" in done.stderr
    assert set(summary(tmp_path)["policies"]["close"]["errors"]) == {"tls_untrusted"}


def test_https_with_trust_works_on_several_processes(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target("--tls")
    done = headless(
        *("compare.py", tmp_path, "-H", target.url, "--cacert", str(target.ca_file), "--processes", "2"),
        *("--policies", "persistent,close,close-resume"),
    )
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)["policies"]
    assert found["close"]["connections"]["tls_full"] == found["close"]["connections"]["opened"] > 10
    assert found["close-resume"]["connections"]["tls_resumed"] > 10


def test_the_embedded_target_over_tls_is_trusted_by_itself(tmp_path: Path) -> None:
    done = headless("non_persistent.py", tmp_path, "--tls", seconds=2)
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    assert found["plan"]["url"].startswith("https://")
    assert counts(found) == account(found)


def test_failures_set_locusts_exit_code(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target("--close-after", "3", "--silent")
    done = headless(
        *(
            "compare.py",
            tmp_path,
            "-H",
            target.url,
            "--policies",
            "ignore-close,persistent",
            "--exit-code-on-error",
            "7",
        ),
        seconds=4,
    )
    assert done.returncode == 7
    assert "stale_connection" in done.stdout
    assert summary(tmp_path)["policies"]["ignore-close"]["errors"]["stale_connection"] > 10


def test_ctrl_c_saves_what_was_measured(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target()
    for number, more in enumerate([[], ["--processes", "2"]]):
        folder, before = tmp_path / str(number), target.stats()["requests"]
        line = command(
            "compare.py", "--headless", "-u", "4", "-r", "4", "-H", target.url, "--only-summary", *BLOCKS, *more
        )
        with running(folder, *line) as process:
            while target.stats()["requests"] < before + 5_000:
                assert process.poll() is None
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
        found = summary(folder)
        check_sums(found)
        # The account's own requests for statistics are in neither.
        assert counts(found)[0] == target.stats()["requests"] - before


def test_a_full_disk_ends_the_run_with_what_there_is(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target()
    line = command(
        "compare.py", "--headless", "-u", "4", "-r", "4", "-t", "30s", "-H", target.url, "--only-summary", *BLOCKS
    )
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 3000; exec "$@"', "bash", *line],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "the run's samples can't be written any more" in done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    check_sums(found)
    assert sum(one["requests"] for one in found["policies"].values()) > 3_000


def test_sigterm_saves_what_was_measured(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target()
    line = command("compare.py", "--headless", "-u", "4", "-r", "4", "-H", target.url, "--only-summary", *BLOCKS)
    with running(tmp_path, *line) as process:
        while target.stats()["requests"] < 5_000:
            assert process.poll() is None
        process.terminate()
        out, _ = process.communicate(timeout=60)
    found = summary(tmp_path)
    assert found["verdict"] in out
    check_sums(found)


def test_a_target_that_goes_and_comes_back_is_counted_by_kind(tmp_path: Path) -> None:
    port = free_port()

    def serve() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", "target", "--port", str(port), "--until-eof"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    first = serve()
    target = Target(f"http://127.0.0.1:{port}/", None)
    line = command("compare.py", "--headless", "-u", "4", "-r", "4", "-H", target.url, "--only-summary", *BLOCKS)
    with running(tmp_path, *line) as process:
        while target.stats()["requests"] < 2_000:
            assert process.poll() is None
        first.communicate()
        second = serve()
        try:
            while target.stats()["requests"] < 5_000:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            second.communicate()
    found = summary(tmp_path)
    check_sums(found)
    kinds = {kind for one in found["policies"].values() for kind in one["errors"]}
    assert kinds & {"connect_refused", "stale_connection", "closed_without_response"}, out
    assert sum(one["requests"] for one in found["policies"].values()) > 3_000
