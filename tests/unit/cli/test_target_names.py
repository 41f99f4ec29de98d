"""Several targets on the command line and in plan files: how they are named, and what goes with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadgen.cli import consent
from loadgen.cli.commands import compare, sweep
from loadgen.cli.plan_writer import save_plan
from loadgen.cli.target_names import named_urls, with_first_url
from tests.support.plans import complaint, planned
from tests.support.runner import run_cli

A, B, C = (f"http://127.0.0.1:{port}/" for port in (1, 2, 3))


def named(*arguments: str) -> dict[str, str]:
    plan = planned(compare, *arguments)
    assert not plan.targets or plan.target == plan.targets[0].target
    return {one.name: str(one.target) for one in plan.targets}


def test_urls_are_named_by_letters_or_as_they_say() -> None:
    assert named(A) == named() == {}
    assert named(A, B) == {"A": A, "B": B}
    assert named("--target", f"old={A}", "--target", f"new={B}") == {"old": A, "new": B}
    assert named(A, "--target", f"new={B}") == {"A": A, "new": B}
    assert named(A, A) == {"A": A, "B": A}


def test_values_of_options_that_hold_several_urls() -> None:
    assert named_urls({"url": (A,), "users": 3}) == {"url": A, "users": 3}
    assert named_urls({"url": (), "target": ()}) == {"url": None, "target": ()}
    assert named_urls({"target": (f"x={A}",)}) == {"target": (f"x={A}",)}
    assert with_first_url({"url": None, "target": (f"x={A}", f"y={B}")})["url"] == A


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'targets = {{old = "{A}", new = "{B}"}}', {"old": A, "new": B}),
        (f'[targets]\nb = "{A}"\na = "{B}"', {"b": A, "a": B}),
        (f'targets = ["x={A}", "y={B}"]', {"x": A, "y": B}),
    ],
)
def test_a_plan_file_has_them_in_a_table(tmp_path: Path, text: str, found: dict[str, str]) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    assert named("--plan", str(path)) == found
    assert named(C, "--plan", str(path)) == {}
    assert named(C, B, "--plan", str(path)) == {"A": C, "B": B}
    saved = tmp_path / "saved.toml"
    plan = planned(compare, "--plan", str(path), "--seed", "1")
    assert save_plan(saved, plan, embedded=False) == []
    assert planned(compare, "--plan", str(saved)) == plan


def test_a_run_gives_its_targets_again_but_no_secret(tmp_path: Path) -> None:
    plan = planned(compare, A, f"{B}?token=abc", "--seed", "1")
    (tmp_path / "run.json").write_text(json.dumps({"plan": plan.to_json(secrets=False)}), encoding="utf-8")
    assert complaint(compare, "--plan", str(tmp_path)) == (
        "--target B: the URL's token was not recorded; give the URL again with its value"
    )
    saved = tmp_path / "saved.toml"
    assert save_plan(saved, plan, embedded=False) == ["--target B"]
    assert "abc" not in saved.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((A, B, "--server-pid", "1"), "--server-pid is for a run with one target"),
        ((A, B, "--probe"), "--probe audits one target"),
        ((A, B, "--tls"), "--tls is for the embedded target"),
        ((A, "httpp://h/"), "--target B: the URL's scheme 'httpp' is unknown"),
        ((A, f"{B}?size={{size}}"), "a URL holds {size}, which is for a sweep"),
        (("--target", A), "it has no name; write it like new="),
        (("--target", f"x={A}"), "is one of several targets that take turns"),
    ],
)
def test_what_does_not_go_with_several(arguments: tuple[str, ...], said: str) -> None:
    assert said in complaint(compare, *arguments)


def test_each_host_that_is_not_this_machine_is_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(compare, A, "http://one.test/", "http://two.test/", "http://one.test/other")
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _self: True})())
    monkeypatch.setattr("click.confirm", lambda text, **_: asked.append(text))
    consent.ask_consent(plan.each_target, None, embedded=False, agreed=False)
    assert [text.partition(" ")[0] for text in asked] == ["one.test", "two.test"]


def test_a_sweep_has_one() -> None:
    assert complaint(sweep, A, B, "--recycle", "1,2") == "a sweep has one target; several take turns in loadgen compare"


def test_one_that_says_the_same_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f'url = "{A}"\n[targets]\nx = "{A}"\ny = "{B}"', encoding="utf-8")
    assert "url and targets both say where requests go" in complaint(compare, "--plan", str(path))
    for content in ("[targets]\nx = 5", 'targets = {"a b" = "http://h/"}'):
        path.write_text(content, encoding="utf-8")
        assert str(path) in complaint(compare, "--plan", str(path))
    path.write_text(f'[targets]\nx = "{A}"\ny = "{B}"', encoding="utf-8")
    result = run_cli("sweep", "--plan", str(path), "--recycle", "1,2")
    assert (result.code, "'targets' is for loadgen compare" in result.stderr) == (2, True)


def test_a_dry_run_names_cells_and_counts_targets() -> None:
    result = run_cli("compare", A, B, "--users", "1", "--rounds", "2", "--block", "1s", "--dry-run")
    assert result.code == 0
    assert {line.rpartition("  ")[2] for line in result.stdout.splitlines()[:4]} == {
        "persistent · A", "persistent · B", "close · A", "close · B"
    }  # fmt: skip
    assert "2 policies × 2 targets × 2 rounds = 8 blocks of 1s" in result.stdout
