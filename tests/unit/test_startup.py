"""The command's first moments: which process has handlers then, and what they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from loadgen import startup
from loadgen.cli.signals import kept


class Ended(Exception):
    """The process would have ended here."""


@pytest.mark.parametrize(
    ("argv", "orig_argv", "guards"),
    [
        (["/usr/bin/loadgen", "compare"], ["python", "/usr/bin/loadgen", "compare"], True),
        (["-m", "compare"], ["python", "-P", "-m", "loadgen", "compare"], True),
        (["-m"], ["python", "-m", "project"], False),
        (["-m"], ["python"], False),
        (["/usr/bin/pytest", "loadgen"], ["python", "-m", "pytest", "loadgen"], False),
        (["-c"], ["python", "-c", "import loadgen"], False),
        ([""], ["python"], False),
        ([], ["python"], False),
    ],
)
def test_only_the_command_has_handlers(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], orig_argv: list[str], guards: bool
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    with kept():
        before = signal.getsignal(signal.SIGQUIT)
        startup.guard()
        expected = startup.end_at_once if guards else before
        assert signal.getsignal(signal.SIGQUIT) == expected


@pytest.mark.parametrize(("number", "line"), [(2, "loadgen: interrupted\n"), (15, "loadgen: ended by SIGTERM\n")])
def test_it_ends_with_a_line_and_its_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], number: int, line: str
) -> None:
    codes: list[int] = []

    def end(code: int) -> NoReturn:
        codes.append(code)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(Ended):
        startup.end_at_once(number, None)
    assert (codes, capfd.readouterr().err) == ([130], line)


@pytest.mark.parametrize(("is_command", "is_traced"), [(True, False), (True, True), (False, False)])
def test_only_the_command_ends_without_the_interpreter_and_only_unobserved(
    monkeypatch: pytest.MonkeyPatch, is_command: bool, is_traced: bool
) -> None:
    def end(code: int) -> NoReturn:
        assert code == 3
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(startup, "_is_here", is_command)
    monkeypatch.setattr(sys, "gettrace", lambda: print if is_traced else None)
    with pytest.raises(Ended if is_command and not is_traced else SystemExit):
        startup.leave(3)


def test_a_profiled_command_leaves_its_profile(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cProfile", "-o", "profile", "-m", "loadgen", "--version"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "profile").stat().st_size > 1000
