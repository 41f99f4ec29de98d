"""Words with colons and equals signs are completed by bash itself, and as zsh is told."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.cli.commands import cli
from loadgen.cli.completion_scripts import FishScript, ZshScript
from tests.support.runner import run_cli


def in_bash(folder: Path, typed: str, breaks: str = "=:") -> list[str]:
    """What bash puts in the place of the word at the end of the line, or of what stands behind its last word break."""
    bash = shutil.which("bash")
    assert bash is not None
    (folder / "script").write_text(run_cli("completion", "bash").stdout, encoding="utf-8")
    line = f"COMP_WORDBREAKS={shlex.quote(breaks)} COMP_LINE={shlex.quote(typed)} COMP_POINT={len(typed)}"
    loadgen = Path(sys.executable).with_name("loadgen")
    done = subprocess.run(
        [bash, "-c", f'. ./script; {line}; _loadgen_completion {loadgen}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        cwd=folder, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("compare --policies persistent,clo", ["persistent,close", "persistent,close-resume"]),
        ("compare http://127.0.0.1:8080/ --policies gap:1ms,recy", ["1ms,recycle:"]),
        ("compare --policies=gap:1ms,recy", ["1ms,recycle:"]),
        ("compare -H 'A: b' --requ", ["--requests"]),
        ("completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_bash_completes_with_it(tmp_path: Path, typed: str, offered: list[str]) -> None:
    assert in_bash(tmp_path, f"loadgen {typed}") == offered


def test_bash_that_breaks_no_word_at_a_colon_gets_the_whole_word(tmp_path: Path) -> None:
    assert in_bash(tmp_path, "loadgen compare --policies gap:1ms,recy", breaks="=") == ["gap:1ms,recycle:"]


def test_zsh_adds_no_blank_behind_a_colon() -> None:
    script = run_cli("completion", "zsh").stdout
    assert script.count("unfinished+=") == 1
    assert script.count("-S ''") == 1


@pytest.mark.parametrize(
    ("word", "value"),
    [("gap:1ms,recy", r"gap\:1ms,recycle\:"), ("--policies=gap:1ms,recy", r"--policies=gap\:1ms,recycle\:")],
)
def test_zsh_is_told_the_whole_word(monkeypatch: pytest.MonkeyPatch, word: str, value: str) -> None:
    words = ["loadgen", "compare", *(() if word.startswith("--") else ("--policies",)), word]
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    kind, offered, meaning = ZshScript(cli, {}, "loadgen", "_LOADGEN_COMPLETE").complete().split("\n")
    assert (kind, offered) == ("plain", value)
    assert meaning


@pytest.mark.parametrize(
    ("word", "whole"), [("persistent,abandon+ho", "persistent,abandon+honour"), ("--policies=ho", "--policies=honour")]
)
def test_fish_is_told_the_whole_word(monkeypatch: pytest.MonkeyPatch, word: str, whole: str) -> None:
    flag = "" if word.startswith("--") else "--policies "
    monkeypatch.setenv("COMP_WORDS", f"loadgen compare {flag}{word}")
    monkeypatch.setenv("COMP_CWORD", word)
    kind, _, offered = FishScript(cli, {}, "loadgen", "_LOADGEN_COMPLETE").complete().partition(",")
    assert (kind, offered.partition("\t")[0]) == ("plain", whole)


def test_fish_keeps_what_follows_a_comma() -> None:
    assert 'string split -m 1 "," $completion' in run_cli("completion", "fish").stdout
