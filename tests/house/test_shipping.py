"""What lies around the package for other programs: the GitHub action, the man page, the image."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.cli.commands import cli
from loadgen.model.options import OPTIONS

ROOT = Path(__file__).parents[2]
ACTION = (ROOT / "action.yml").read_text(encoding="utf-8")


def test_an_action_s_inputs_are_options() -> None:
    arguments = runpy.run_path(str(ROOT / ".ci" / "action.py"))["arguments"]
    inputs = {
        "INPUT_COMMAND": "compare", "INPUT_URL": " http://127.0.0.1:9/ ", "INPUT_POLICIES": "close",
        "INPUT_OUT": "there",
        "INPUT_FAIL_IF": "errors > 0.1%\n\n close.latency_ms.p99 > 50\n", "INPUT_MAX_ERRORS": "1%",
        "INPUT_OPTIONS": "--name 'a b' -c 5",
    }  # fmt: skip
    found = arguments(inputs)
    assert found == [
        "compare", "http://127.0.0.1:9/", "--yes", "--out", "there", "--export", "github", "--policies", "close",
        "--max-errors", "1%", "--fail-if", "errors > 0.1%", "--fail-if", "close.latency_ms.p99 > 50",
        "--name", "a b", "-c", "5",
    ]  # fmt: skip
    cli.commands["compare"].make_context("compare", found[1:])
    probed = arguments({"INPUT_COMMAND": "probe", "INPUT_URL": "http://127.0.0.1:9/", "INPUT_OUT": "there"})
    assert probed == ["probe", "http://127.0.0.1:9/", "--yes"]
    cli.commands["probe"].make_context("probe", probed[1:])


def test_the_action_hands_over_what_the_script_reads() -> None:
    script = (ROOT / ".ci" / "action.py").read_text(encoding="utf-8")
    read = set(re.findall(r"INPUT_[A-Z_]+", script)) - {"INPUT_NAME"}
    assert read == set(re.findall(r"^ +(INPUT_[A-Z_]+): ", ACTION, re.M))
    # In the text of a script an input would be code.
    assert [line for line in ACTION.splitlines() if "run: " in line and "${{" in line] == []


def test_a_gate_that_fails_fails_the_step(tmp_path: Path) -> None:
    """A step as the runner starts it, with the embedded target."""
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    inputs = {
        "INPUT_OUT": str(tmp_path / "run"), "INPUT_FAIL_IF": "persistent.reuse_ratio < 2",
        "INPUT_OPTIONS": "--no-charts -c 2 --rounds 2 --block 100ms",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "action.py"], cwd=tmp_path, env={**os.environ, **files, **inputs},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "::error title=loadgen gate failed::persistent.reuse_ratio < 2" in done.stderr
    verdict = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))["verdict"]
    outputs = Path(files["GITHUB_OUTPUT"]).read_text(encoding="utf-8").splitlines()
    assert outputs == [f"folder={tmp_path / 'run'}", f"verdict={verdict}"]
    assert "### loadgen: GET" in Path(files["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")


def test_an_earlier_step_s_run_is_no_output_of_this_one(tmp_path: Path) -> None:
    outputs = runpy.run_path(str(ROOT / ".ci" / "action.py"))["outputs"]
    (tmp_path / "summary.json").write_text(json.dumps({"verdict": "close costs\nmore"}), encoding="utf-8")
    assert outputs(tmp_path, is_old=False) == {"folder": str(tmp_path), "verdict": "close costs more"}
    assert outputs(tmp_path, is_old=True) == {}
    assert outputs(tmp_path / "none", is_old=False) == {}


def test_the_man_page_has_every_command_and_option(tmp_path: Path) -> None:
    page: str = runpy.run_path(str(ROOT / ".ci" / "man.py"))["page"]()
    for name, command in cli.commands.items():
        assert (f'.SH "LOADGEN {name.upper()}"\n' in page) is not command.hidden
    for option in OPTIONS:
        if option.commands and not option.positional:
            assert f"--{option.key}".replace("-", r"\-") in page, option.name
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    file = tmp_path / "loadgen.1"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", file], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stderr == ""
    assert "LOADGEN COMPARE" in re.sub(r".\x08", "", done.stdout)


def test_the_image_takes_what_the_build_needs_and_runs_as_a_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.M) for word in line.split()}
    assert {f"!{name}" for name in copied} <= set(ignored)
    assert all((ROOT / name).exists() for name in copied)
    last_user = re.findall(r"^USER (\S+)$", dockerfile, re.M)[-1]
    assert last_user not in ("root", "0")
    assert f"useradd --create-home --uid 10001 {last_user}" in dockerfile
