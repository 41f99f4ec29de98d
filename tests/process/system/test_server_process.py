"""What a server spends, read from real processes that spend it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadgen.drive.system.server_process import ServerProcess
from loadgen.model.exceptions import PlanError

# A process that does what its standard input says: a line of Python, answered by a line when it is done.
OBEDIENT = """
import socket, subprocess, sys, time
kept = []
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Child:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid
        self._answer()

    def do(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        self._answer()

    def _answer(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline()


@contextmanager
def running() -> Iterator[Child]:
    command = [sys.executable, "-c", OBEDIENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Child(process)


GRANDCHILD = "kept.append(subprocess.Popen([sys.executable, '-c', {!r}], stdin=-1, stdout=-1, text=True)); {}".format(
    OBEDIENT, "kept[-1].stdout.readline()"
)


def tell(line: str) -> str:
    """The line that makes the first kept grandchild do one."""
    return f"kept[0].stdin.write({line!r} + '\\n'); kept[0].stdin.flush(); kept[0].stdout.readline()"


def number(value: int | None) -> int:
    assert value is not None
    return value


def test_cpu_time_memory_and_sockets_of_one_process() -> None:
    with running() as child:
        server = ServerProcess(child.pid)
        before = server.read()
        child.do("spin(0.05); kept += [socket.socket() for _ in range(12)]; kept.append(bytearray(b'x' * 30_000_000))")
        after = server.read()
    assert 50e6 <= number(after["cpu_ns"]) - number(before["cpu_ns"]) < 1e9
    assert number(after["sockets"]) - number(before["sockets"]) == 12
    assert number(after["rss_bytes"]) - number(before["rss_bytes"]) > 25e6


def test_all_threads_count() -> None:
    server = ServerProcess(os.getpid())
    before_ns = number(server.cpu_ns())

    def spin() -> None:
        end_ns = time.thread_time_ns() + 20_000_000
        while time.thread_time_ns() < end_ns:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    thread.join()
    assert number(server.cpu_ns()) - before_ns >= 20e6


def test_descendants_count_and_one_that_ended_is_not_forgotten() -> None:
    with running() as child:
        server = ServerProcess(child.pid)
        alone = server.read()
        child.do(GRANDCHILD)
        child.do(tell("spin(0.05); kept += [socket.socket() for _ in range(7)]"))
        both = server.read()
        assert number(both["cpu_ns"]) - number(alone["cpu_ns"]) >= 50e6
        assert number(both["sockets"]) - number(alone["sockets"]) == 7
        assert number(both["rss_bytes"]) > number(alone["rss_bytes"]) + 1e6
        child.do("kept[0].stdin.close(); kept[0].stdout.close(); kept.pop(0).wait()")
        left = server.read()
        assert number(left["cpu_ns"]) >= number(both["cpu_ns"])
        assert left["sockets"] == alone["sockets"]


def test_a_process_that_ended_gives_nothing() -> None:
    with running() as child:
        server = ServerProcess(child.pid)
        assert None not in server.read().values()
        child.process.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and its parent has not taken notice
        unnoticed = server.read()
    assert unnoticed == server.read() == {"cpu_ns": None, "rss_bytes": None, "sockets": None}
    assert server.cpu_ns() is None
    with pytest.raises(PlanError, match=f"^--server-pid {child.pid}: there is no such process"):
        ServerProcess(child.pid)


def test_files_that_may_not_be_read_hide_the_sockets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = os.open

    def forbidding(path: str | Path, *rest: int) -> int:
        if str(path).endswith("/fd"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest)

    server = ServerProcess(os.getpid())
    monkeypatch.setattr(os, "open", forbidding)
    found = server.read()
    assert found["sockets"] is None
    assert number(found["cpu_ns"]) > 0
    assert number(found["rss_bytes"]) > 0
