"""What a shell is offered where a value is begun."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from loadgen.cli.commands import SHELLS, cli
from tests.support.runner import run_cli


def offered(*arguments: str, begun: str = "") -> list[str]:
    completer = ShellComplete(cli, {}, "loadgen", "_LOADGEN_COMPLETE")
    return [item.value for item in completer.get_completions(list(arguments), begun)]


def test_policies_are_completed_part_by_part() -> None:
    assert offered("compare", "--policies", begun="pers") == ["persistent"]
    assert offered("compare", "--policies", begun="persistent,clo") == ["persistent,close", "persistent,close-resume"]
    assert offered("sweep", "--policies", begun="h2+str") == ["h2+streams:"]
    assert offered("policies", begun="life") == ["lifetime:"]
    assert offered("compare", "--policies", begun="ho") == ["honour"]  # its parameter may be left out


def test_runs_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("results/night", "results/noon", "results/empty", "elsewhere/morning", "own"):
        (tmp_path / name).mkdir(parents=True)
        if name != "results/empty":
            (tmp_path / name / "run.json").touch()
    assert offered("report") == ["own", "results/night", "results/noon"]
    assert offered("report", begun="results/ni") == ["results/night"]
    assert offered("sweep", "--resume", begun="elsewhere/") == ["elsewhere/morning"]
    assert offered("compare", "--plan", begun="plan.t") == ["plan.t"]  # a file, which the shell itself completes


def test_words_of_a_choice_are_completed() -> None:
    assert offered("compare", "--arrivals", begun="p") == ["poisson"]
    assert offered("completion") == list(SHELLS)
    assert offered("report", "run", "--export", begun="p") == ["parquet", "prometheus"]
    assert "--max-connections" in offered("compare", begun="--max")


def test_each_shell_gets_a_script() -> None:
    for shell in SHELLS:
        done = run_cli("completion", shell)
        assert (done.code, done.stderr) == (0, "")
        assert f"_LOADGEN_COMPLETE={shell}_complete" in done.stdout
    assert run_cli("completion", "csh").code == 2
