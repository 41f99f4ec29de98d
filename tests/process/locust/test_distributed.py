"""Locust on several processes: one merged result, counted as the target counts, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.support.locusts import (
    LOCUSTFILES,
    PACED,
    account,
    await_log,
    await_requests,
    await_rounds,
    check_sums,
    command,
    counts,
    csv_rows,
    endless,
    headless,
    running,
    samples_of,
    summary,
)
from tests.support.processes import free_port
from tests.support.targets import Target

_SLOW_WORKERS = """
import gevent
from locust.runners import WorkerRunner

start_worker = WorkerRunner.start_worker

def start_slowly(self, *arguments, **options):
    if self.worker_index > 0:
        gevent.sleep(1.5)
    return start_worker(self, *arguments, **options)

WorkerRunner.start_worker = start_slowly
"""


def test_three_processes_over_trusted_tls_give_one_result(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target("--tls")
    done = headless(
        *("compare.py", tmp_path, "-H", target.url, "--cacert", str(target.ca_file), "--processes", "3"),
        *("--policies", "persistent,close,close-resume", "--csv", "stats"),
        users=7,
        seconds=5,
    )
    assert done.returncode == 0, done.stderr
    found = summary(tmp_path)
    check_sums(found)
    stats = target.stats()
    assert counts(found)[0] == stats["requests"] == int(csv_rows(tmp_path)["Aggregated"]["Request Count"])
    assert sorted(set(samples_of(tmp_path, "worker"))) == [0, 1, 2]
    # Seven users in all, each with a connection of its own in each block. A machine too busy for that has it said.
    opened = {block["connections"]["opened"] for block in found["blocks"] if block["policy"] == "persistent"}
    assert opened <= {7} or "users_missing" in {warning["code"] for warning in found["warnings"]}
    assert found["plan"]["users"] == 7
    policies = found["policies"]
    assert policies["close"]["connections"]["tls_full"] == policies["close"]["connections"]["opened"] > 0
    assert policies["close-resume"]["connections"]["tls_resumed"] > 0


def test_no_round_begins_before_slow_workers_have_their_users(
    tmp_path: Path, start_target: Callable[..., Target]
) -> None:
    """Locust itself waits for them one second; then the first rounds would lack these users without a word."""
    slow = tmp_path / "slow.py"
    slow.write_text(_SLOW_WORKERS, encoding="utf-8")
    target = start_target()
    files = f"{slow},{LOCUSTFILES / 'compare.py'}"
    line = endless("-H", target.url, "--processes", "3", *PACED, users=7, locustfile=files)
    with running(tmp_path, *line) as process:
        await_rounds(process, target, 1, users=7)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert process.returncode == 0
    opened = [
        block["connections"]["opened"] for block in summary(tmp_path)["blocks"] if block["policy"] == "persistent"
    ]
    assert opened
    assert set(opened) == {7}


def test_protocols_take_turns_and_a_share_of_the_samples_has_exact_counts(tmp_path: Path) -> None:
    """What a block knows of its connections beside their rows goes the way to the master too."""
    names = "persistent,websocket,h2c-upgrade,h2+streams:3"
    done = headless(
        *("compare.py", tmp_path, "--policies", names, "--processes", "2", "--max-samples", "200"), seconds=6
    )
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
    assert 0 < len(samples_of(tmp_path, "scheduled")) <= 2 * 200
    assert sum(one["requests"] for one in found["policies"].values()) > len(samples_of(tmp_path, "scheduled"))
    assert "samples_thinned" in {warning["code"] for warning in found["warnings"]}


def test_scenarios_on_several_processes_count_right(tmp_path: Path) -> None:
    done = headless("scenario.py", tmp_path, "--processes", "2", users=6)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = summary(tmp_path)
    check_sums(found)
    # Locust kills users in the middle of a request: the target then saw one, or its connection, that has no answer.
    for mine, targets in zip(counts(found), account(found), strict=True):
        assert 0 <= targets - mine <= 6
    for name, one in found["policies"].items():
        assert one["requests"] > 50, name


def test_ctrl_c_reaches_all_processes_and_saves_what_they_measured(
    tmp_path: Path, start_target: Callable[..., Target]
) -> None:
    target = start_target()
    with running(tmp_path, *endless("-H", target.url, "--processes", "2", *PACED)) as process:
        await_rounds(process, target, 1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        # Not communicate(): now and then a forked worker that got the signal too stays, and holds the output open.
        process.wait(timeout=60)
    assert process.returncode == 0
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found)[0] == target.stats()["requests"]


# Workers that come and go


def master_of(port: int, url: str, *arguments: str) -> list[str]:
    return endless(
        *("--master", "--expect-workers", "1", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)),
        *("-H", url, *arguments),
    )


def worker_of(port: int, locustfile: str | Path = "compare.py") -> list[str]:
    return command(locustfile, "--worker", "--master-host", "127.0.0.1", "--master-port", str(port))


def test_workers_that_are_refused_late_and_lost(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target, port = start_target(), free_port()
    old = tmp_path / "old.py"
    old.write_text(
        "import loadgen\nloadgen.__version__ = '0.0.9'\nfrom loadgen.swarm import SwarmUser\n\n"
        "class Alternating(SwarmUser):\n    pass\n",
        encoding="utf-8",
    )

    log = tmp_path / "log"

    with ExitStack() as stack:
        arguments = "--think", "1ms", "--logfile", str(log)
        process = stack.enter_context(running(tmp_path, *master_of(port, target.url, *arguments)))
        refused = subprocess.run(
            worker_of(port, old), capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False
        )
        assert refused.returncode == 2
        assert "has loadgen 0.0.9, the master" in refused.stderr

        first = stack.enter_context(running(tmp_path, *worker_of(port)))
        await_requests(process, target, 500)
        stack.enter_context(running(tmp_path, *worker_of(port)))
        await_log(process, log, "to 2 ready workers")
        await_requests(process, target, 2_000)
        os.kill(first.pid, signal.SIGKILL)
        await_log(process, log, "failed to send heartbeat")
        await_requests(process, target, 2_000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert "install the same version on both" in log.read_text(encoding="utf-8")
    assert process.returncode == 0, out
    found = summary(tmp_path)
    check_sums(found)
    (lost,) = [warning for warning in found["warnings"] if warning["code"] == "worker_lost"]
    assert "one of 2 workers" in lost["message"]
    # What the lost worker measured is nowhere, and what the late one did is there once.
    assert len(set(samples_of(tmp_path, "worker"))) == 1
    assert counts(found)[0] < target.stats()["requests"]
    blocks: dict[int, list[int]] = {}
    for block in found["blocks"]:
        blocks.setdefault(block["round"], []).append(block["connections"]["slots"])
    # The late worker began with a round, not in the middle of one, and has as many users to a round's end.
    assert min(blocks) > 0
    assert len(blocks) >= 3
    assert all(len(slots) == 2 and slots[0] == slots[1] for slots in blocks.values()), blocks


def test_when_all_workers_are_lost_the_run_ends_and_says_so(
    tmp_path: Path, start_target: Callable[..., Target]
) -> None:
    target, port = start_target(), free_port()
    with running(tmp_path, *master_of(port, target.url)) as process, running(tmp_path, *worker_of(port)) as victim:
        await_requests(process, target, 500)
        os.kill(victim.pid, signal.SIGKILL)
        # Locust itself stops its test then, and leaves it to us to end.
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "all workers were lost, and what they had measured with them" in out


# Clocks


def test_workers_begin_together_by_clocks_that_differ(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    """One of the workers has a clock of its own, a thousand seconds ahead, as that of another machine."""
    target, port = start_target(), free_port()
    with ExitStack() as stack:
        arguments = "--expect-workers", "3", "-t", "4s"
        process = stack.enter_context(running(tmp_path, *master_of(port, target.url, *arguments)))
        for ahead in ([], [], ["unshare", "--time", "--monotonic", "1000", "--"]):
            stack.enter_context(running(tmp_path, *ahead, *worker_of(port)))
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found)[0] == target.stats()["requests"]
    starts = found["block_starts"]
    assert (starts["workers"], starts["blocks"]) == (3, len(found["blocks"]))
    # What a busy machine adds is in the spread; a clock that was misjudged would be in each block.
    assert 0 < starts["clock_error_ns"] < 100_000_000
    assert starts["spread_p50_ns"] < 50_000_000 + 2 * starts["clock_error_ns"]
    # All times of samples are by one clock.
    scheduled = samples_of(tmp_path, "scheduled")
    assert max(scheduled) - min(scheduled) < 60e9


# Workers that stand still


def test_a_worker_that_stands_still_holds_nobody_up_and_comes_back(
    tmp_path: Path, start_target: Callable[..., Target]
) -> None:
    target, port, log = start_target(), free_port(), tmp_path / "log"
    with ExitStack() as stack:
        arguments = "--expect-workers", "2", "--think", "1ms", "--logfile", str(log)
        process = stack.enter_context(running(tmp_path, *master_of(port, target.url, *arguments)))
        stack.enter_context(running(tmp_path, *worker_of(port)))
        stands = stack.enter_context(running(tmp_path, *worker_of(port)))
        await_requests(process, target, 2_000)
        os.kill(stands.pid, signal.SIGSTOP)
        await_log(process, log, "failed to send heartbeat")
        await_requests(process, target, 2_000)
        os.kill(stands.pid, signal.SIGCONT)
        await_log(process, log, "self-healed")
        await_requests(process, target, 4_000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    found = summary(tmp_path)
    check_sums(found)
    codes = {warning["code"]: warning["message"] for warning in found["warnings"]}
    assert "until it was back for round" in codes["worker_away"]
    assert "worker_lost" not in codes
    # Nothing that either of them sent is missing, and the round in which one stood still is in no figure.
    assert counts(found)[0] == target.stats()["requests"]
    assert found["incomplete_rounds"]["rounds"]
    assert not {block["round"] for block in found["blocks"]} & set(found["incomplete_rounds"]["rounds"])
    assert sorted(set(samples_of(tmp_path, "worker"))) == [0, 1]
