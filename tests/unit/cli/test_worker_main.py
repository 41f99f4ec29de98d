"""The process that makes the load: its last event, and the gate that keeps it in step with the other workers."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.cli import worker_main
from loadgen.cli.worker_main import _Gate, work
from loadgen.drive.schedule import blocks
from loadgen.measure.data.recorder import Recorder
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from tests.support.synthetic import plan_json

PLAN = plan_json("close,persistent", 1)


class Pipe:
    """Standard input of a worker, and the parent's end of it."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def fileno(self) -> int:
        return self.reading

    def readline(self) -> str:
        return json.dumps({"plan": PLAN, "skip": [], "first_connection": 0}) + "\n"

    def write(self, text: str) -> None:
        os.write(self._writing, text.encode())

    def close(self) -> None:
        os.close(self._writing)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    pipe = Pipe()
    monkeypatch.setattr(sys, "stdin", pipe)
    yield pipe
    os.close(pipe.reading)


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("stdin")
def test_a_folder_that_can_t_be_written_is_the_plan_s_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert work(tmp_path / "nowhere").code == 0
    (end,) = events(capsys)
    assert end["end"] == "plan"
    assert end["message"].startswith("can't write to ")


class FakeRunLoop:
    """Ends as its order says."""

    result: Any = True

    def __init__(self, *_: Any) -> None: ...

    def interrupt(self) -> None: ...

    def run(self) -> bool:
        if isinstance(self.result, Exception):
            raise self.result
        return bool(self.result)


class FullDiskRunLoop(FakeRunLoop):
    """Notes a block where no file may be longer than ten bytes."""

    def __init__(self, _plan: Plan, _route: Any, recorder: Recorder, *_: Any) -> None:
        self.recorder = recorder
        self.interrupted = False

    def interrupt(self) -> None:
        self.interrupted = True

    def run(self) -> bool:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            self.recorder.block({"index": 0})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        return not self.interrupted


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (True, {"end": "done"}),
        (False, {"end": "interrupted"}),
        (PlanError("bad"), {"end": "plan", "message": "bad"}),
        (TargetError("gone"), {"end": "target", "message": "gone"}),
        (OSError(28, "No space left on device"), {"end": "disk_full"}),
        (OSError(30, "Read-only file system"), {"end": "disk_full"}),
        (OSError(12, "Cannot allocate memory"), {"end": "died"}),
        (MemoryError(), {"end": "died"}),
    ],
)
def test_the_last_event_says_how_it_ended(
    stdin: Pipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    result: Any,
    expected: dict[str, Any],
) -> None:
    monkeypatch.setattr(worker_main, "RunLoop", FakeRunLoop)
    monkeypatch.setattr(worker_main, "signal_handler", lambda *_: None)
    monkeypatch.setattr(FakeRunLoop, "result", result)
    work(tmp_path)
    assert events(capsys)[-1] == expected
    stdin.close()


def test_a_full_disk_is_not_told_as_an_interruption(
    stdin: Pipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker_main, "RunLoop", FullDiskRunLoop)
    monkeypatch.setattr(worker_main, "signal_handler", lambda *_: None)
    work(tmp_path)
    assert events(capsys)[-1] == {"end": "disk_full"}
    stdin.close()


def test_a_block_waits_until_it_may_begin(stdin: Pipe, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = list(blocks(Plan.from_json(PLAN)))[:2]
    gate = _Gate()
    ended: list[bool] = []
    gate.watch(lambda: ended.append(True))
    waiting = gevent.spawn(gate, first)
    gevent.sleep(0)
    assert not waiting.ready()
    assert events(capsys) == [{"ready": first.index}]
    stdin.write('{"go": ')  # a line may come in pieces
    gevent.sleep(0)
    assert not waiting.ready()
    stdin.write(f"{first.index}}}\n")
    assert waiting.get(timeout=5) is True
    waiting = gevent.spawn(gate, second)
    gevent.sleep(0)
    stdin.close()
    with gevent.Timeout(5):
        while not ended:
            gevent.sleep(0)
    gate.shut()
    assert waiting.get(timeout=5) is False
    gate.close()


def test_no_block_follows_once_the_parent_needs_none(stdin: Pipe) -> None:
    gate = _Gate()
    gate.watch(lambda: None)
    waiting = gevent.spawn(gate, next(blocks(Plan.from_json(PLAN))))
    gevent.sleep(0)
    assert not gate.has_stopped
    stdin.write('{"stop": true}\n')
    assert waiting.get(timeout=5) is False
    assert gate.has_stopped
    gate.close()
