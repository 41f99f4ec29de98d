"""What is found wrong, written or refused before a run starts anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from loadgen.cli import run_setup
from loadgen.cli.commands import compare
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.run_setup import prepare
from loadgen.model.exceptions import PlanError
from tests.support.plans import URL, options_of
from tests.support.runner import run_cli


def prepared(*arguments: str) -> Any:
    options = options_of(compare, *arguments)
    return prepare(build_plan(options), options)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a\nb"])
def test_a_name_that_is_no_folder_s(name: str) -> None:
    with pytest.raises(PlanError, match="can't be a folder's name"):
        prepared(URL, "--name", name)
    assert not Path("results").exists()


def test_the_folder_is_named_after_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(URL, "--name", "mine")
    assert Path("results/mine/run.json").exists()
    with pytest.raises(PlanError, match="never overwritten"):
        prepared(URL, "--name", "mine")
    prepared(URL, "--out", "there")
    assert Path("there/run.json").exists()


def test_a_second_run_in_the_same_second_gets_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        @staticmethod
        def now() -> Any:
            return Stopped()

    class Stopped:
        def __format__(self, _form: str) -> str:
            return "20260102-030405"

    monkeypatch.setattr(run_setup, "datetime", Clock)
    held = [prepared(URL), prepared(URL), prepared(URL)]
    assert len(held) == 3
    names = sorted(path.name for path in Path("results").iterdir())
    assert names == ["20260102-030405", "20260102-030405-2", "20260102-030405-3"]


def test_a_plan_that_can_t_be_saved_leaves_no_folder() -> None:
    with pytest.raises(PlanError, match="No such file"):
        prepared(URL, "--out", "run", "--save-plan", "nowhere/plan.toml")
    assert not Path("run").exists()


def test_credentials_that_a_plan_leaves_out_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    secret = ["-H", "Authorization: sesame", "--proxy", "http://u:pw@127.0.0.1:1"]
    prepared(URL, *secret, "--out", "one", "--save-plan", "plan.toml")
    assert capsys.readouterr().err == (
        "loadgen: plan.toml holds no credentials; give those of Authorization, --proxy when you run it\n"
    )
    prepared(URL, *secret, "--out", "two", "--save-plan", "quiet.toml", "--quiet")
    assert capsys.readouterr().err == ""


def test_a_dry_run_prints_its_blocks_and_leaves_nothing() -> None:
    done = run_cli("compare", URL, "--dry-run", "--rounds", "1", "--seed", "1")
    assert (done.code, done.stderr) == (0, "")
    pilot, *blocks, estimate = done.stdout.splitlines()
    assert pilot.startswith("pilot: ")
    assert sorted(line.split()[-1] for line in blocks) == ["close", "persistent"]
    assert estimate.startswith("2 policies × 1 round = 2 blocks of 2s")
    assert run_cli("compare", URL, "--dry-run", "--json").code == 2
    assert not list(Path().iterdir())


class Terminal:
    def isatty(self) -> bool:
        return True


def test_another_machine_gets_load_only_with_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []

    def refuse(text: str, **_: Any) -> None:
        questions.append(text)
        raise click.Abort

    monkeypatch.setattr(click, "confirm", refuse)
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(click.Abort):
        prepared("http://example.org/", "--out", "run")
    assert questions == ["example.org is not this machine. Send load to it?"]
    assert not Path("run").exists()
    prepared("http://example.org/", "--out", "run", "--yes")
    prepared("http://localhost/", "--out", "here")
    assert len(questions) == 1


def test_a_run_against_the_embedded_target_is_marked() -> None:
    experiment = prepared("--out", "run")
    assert "embedded_target" in experiment._facts["environment"]
    assert "embedded_target" not in prepared(URL, "--out", "other")._facts["environment"]
    assert json.dumps(experiment._facts["environment"])
