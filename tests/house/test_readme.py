"""The README is true: its commands run, its table and picture are those of the committed example run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loadgen.show.export.markdown import render as markdown
from tests.support.locusts import BLOCKS, summary
from tests.support.processes import QUICK, loadgen
from tests.support.proxies import USER, fake_proxy
from tests.support.targets import Target

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line.split("#")[0].strip() for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
]
COMPARES = [line for line in SHELL if re.search(" (compare|sweep) ", line) and "plan.toml" not in line]
MAKES = [line.split()[1] for line in SHELL if line.startswith("make ")]


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(MAKES) == {"compare", "test", "ui"} <= targets


@pytest.mark.parametrize("line", COMPARES)
def test_the_comparisons_run(line: str, share_target: Callable[..., Target], tmp_path: Path) -> None:
    secure = "https://" in line
    arguments = shlex.split(line)[1:]
    own = [word for before, word in pairwise(arguments) if "://" in word and before != "--proxy"]
    with ExitStack() as stack:
        if own:
            target = share_target(*(["--tls"] if secure else []))
            there = dict.fromkeys(own, target.url) | {"ca.pem": str(target.ca_file)}
            arguments = [there.get(word, word) for word in arguments]
        if "--proxy" in arguments:
            proxy, port = stack.enter_context(fake_proxy(password="password"))
            place = arguments.index("--proxy") + 1
            assert urlsplit(arguments[place]).username == USER
            arguments[place] = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", arguments[place])
        done = loadgen(*arguments, *QUICK, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if "--proxy" in line:
        run = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
        assert proxy.shown >= sum(one["requests"] for one in run["policies"].values()) > 0
    if "--json" in line:
        assert json.loads(done.stdout)["schema"] == 1


@pytest.mark.parametrize("line", [line for line in SHELL if "/locust " in line])
def test_the_locust_commands_run(line: str, share_target: Callable[..., Target], tmp_path: Path) -> None:
    words = shlex.split(line)[1:]
    arguments = [share_target().url if "://" in word else word for word in words]
    arguments[arguments.index("-t") + 1] = "3s"
    arguments[arguments.index("-f") + 1] = str(ROOT / arguments[arguments.index("-f") + 1])
    done = subprocess.run(
        [sys.executable, "-m", "locust", *arguments, *BLOCKS],
        capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["verdict"] in done.stdout


def test_the_plan_commands_run(share_target: Callable[..., Target], tmp_path: Path) -> None:
    save, again = (line for line in SHELL if "plan.toml" in line)
    words = [share_target().url if "://" in word else word for word in shlex.split(save)[1:]]
    for number, arguments in enumerate((words, shlex.split(again)[1:])):
        done = loadgen(*arguments, *QUICK, "--out", f"run{number}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = (
        json.loads((tmp_path / f"run{number}" / "summary.json").read_text(encoding="utf-8"))["plan"]
        for number in (0, 1)
    )
    assert second | {"seed": first["seed"]} == first


def test_the_report_command_runs(tmp_path: Path) -> None:
    (line,) = (line for line in SHELL if " report " in line)
    shutil.copytree(ROOT / "results" / "example", tmp_path / "results" / "example")
    done = loadgen(*shlex.split(line)[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_target_command_runs(share_target: Callable[..., Target]) -> None:
    (line,) = (line for line in SHELL if " target " in line)
    arguments = shlex.split(line)[2:]
    port = arguments.index("--port")
    target = share_target(*arguments[:port], *arguments[port + 2 :])
    assert target.stats()["requests"] == 0


def test_table_and_picture_are_the_examples() -> None:
    summary = json.loads((ROOT / "results" / "example" / "summary.json").read_text(encoding="utf-8"))
    assert markdown(summary) in README
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file()


def test_every_policy_is_explained() -> None:
    from loadgen.model.policy import PARTS

    for name, part in PARTS.items():
        parameter = f":{part.parameter.split('|')[0].split('[')[0]}" if part.parameter else ""
        assert f"| `{name}{parameter}` |" in README
