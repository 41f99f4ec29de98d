"""The command as a whole: help, refusals, exit codes. It runs inside the test's process."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

import loadgen
from loadgen import core
from loadgen.cli import EXIT_INTERRUPTED, main
from tests.support.runner import run_cli


@pytest.mark.parametrize("command", ["compare", "sweep", "report", "target"])
def test_each_command_explains_itself(command: str) -> None:
    done = run_cli(command, "--help")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: loadgen {command} ")


def test_the_help_names_the_exit_codes() -> None:
    words = " ".join(run_cli("--help").stdout.split())
    assert "4 results saved but standard output or an export failed, 130 interrupted" in words


def test_the_version() -> None:
    assert run_cli("--version").stdout == f"loadgen, version {loadgen.__version__} (core: {core.running()})\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["compare", "--nonsense"], "No such option '--nonsense'"),
        (["compare", "127.0.0.1:80/"], "has no scheme"),
        (["nonsense"], "No such command 'nonsense'"),
        (["report", "nowhere"], "holds no run"),
    ],
)
def test_a_refusal_is_one_line(arguments: list[str], text: str, tmp_path: Path) -> None:
    done = run_cli(*arguments, cwd=tmp_path)
    assert (done.code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("loadgen: ")
    assert text in line
    assert not list(tmp_path.iterdir())


def test_an_interrupt_while_modules_are_loaded_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = builtins.__import__

    def interrupted(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "click":
            raise KeyboardInterrupt
        return load(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == EXIT_INTERRUPTED
    assert capsys.readouterr() == ("", "loadgen: interrupted\n")
