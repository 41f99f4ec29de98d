"""Every shell command and every Python snippet of README and docs does what it says, with shorter blocks."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from loadgen.pytest import Loadgen
from tests.support.client_certificates import PASSPHRASE, write_pem, write_pkcs12
from tests.support.documents import ROOT, commands, snippets
from tests.support.locusts import BLOCKS, WITHOUT_CHARTS, running, summary
from tests.support.processes import await_port, free_port
from tests.support.proxies import USER, asks, fake_proxy
from tests.support.runner import run_cli
from tests.support.targets import Target

QUICK = ("--rounds", "1", "--block", "150ms", "--warmup", "30ms", "--no-charts")
Share = Callable[..., Target]

# The first pattern that fits says which test runs a line.
KINDS = {
    "installs": r"make |pip install |pipx install |git clone ",  # tests/house/test_documents.py, .ci/installs.py
    "locust": r"locust -f |loadgen locust compare ",
    "variables of Locust": r"LOCUST_[A-Z_]+=",  # tests/process/locust/test_options_in_runs.py
    "locustfiles": r"loadgen locust --list",
    "web UI": r"loadgen ui",
    "plan file": r".*plan\.toml",
    "resume": r"loadgen sweep --resume ",
    "run against run": r"loadgen (diff|history) ",
    "example": r"loadgen .* results/example|loadgen report ",
    "target": r"loadgen target ",
    "audit": r"loadgen probe",
    "calibrate": r"loadgen calibrate",  # tests/process/cli/test_calibrate.py
    "proxy over TLS": r"loadgen compare .*--proxy https:",  # tests/interop/test_proxies.py
    "run": r"loadgen (compare|sweep) ",
}


def kind_of(line: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.match(pattern, line)), "")


def lines(kind: str) -> list[str]:
    return [line for line in commands() if kind_of(line) == kind]


def test_every_command_is_run_by_a_test() -> None:
    assert [line for line in commands() if not kind_of(line)] == []
    assert [kind for kind in KINDS if not lines(kind)] == []


def in_place(line: str, target: Target) -> list[str]:
    """The command's arguments, with the test's target in place of the one that the page names."""
    arguments = shlex.split(line)[1:]
    own = {word for before, word in pairwise(arguments) if "://" in word and before != "--proxy"}
    # One of several targets has a name before its URL.
    # A path matters where it is a template.
    there = {word: re.sub(r"https?://[^/]*/" if "{" in word else r"https?://.*", target.url, word) for word in own}
    there["ca.pem"] = str(target.ca_file)
    there |= {word: url.replace("127.0.0.1", "localhost") for word, url in there.items() if "localhost" in word}
    return [there.get(word, word) for word in arguments]


@pytest.mark.parametrize("line", lines("audit"))
def test_audits(line: str, share_target: Share, tmp_path: Path) -> None:
    """With short waits: what an audit finds out has tests of its own."""
    arguments = in_place(line, share_target(*(["--tls"] if "https://" in line else [])))
    limits = ("--idle-max", "200ms", "--max-time", "2s", "--max-requests", "20")
    done = run_cli(*arguments, *limits, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "--html" not in arguments or (tmp_path / arguments[arguments.index("--html") + 1]).exists()


def load_for(line: str) -> list[str]:
    """A load where a pilot would choose one; the first such line has its pilot, and longer blocks for its pauses."""
    piloted = [one for one in lines("run") if "loadgen compare" in one and not re.search("--(users|rate|think) ", one)]
    if line == piloted[0]:
        return ["--block", "400ms"]
    return ["--users", "10"] if line in piloted else []


def write_client_certificates(arguments: list[str], folder: Path) -> None:
    """The files that a command names."""
    for word in arguments:
        name, _, kind = word.rpartition(".")
        if kind == "p12":
            write_pkcs12(folder, name, PASSPHRASE)
        elif kind == "key":
            write_pem(folder, name)
        elif word.startswith("file:"):
            (folder / word.removeprefix("file:")).write_text(PASSPHRASE, encoding="utf-8")


def summary_of(folder: Path) -> dict[str, Any]:
    """Empty where a run ended without one."""
    path = folder / "summary.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def measured_all(run: dict[str, Any]) -> bool:
    return bool(run) and all(one["requests"] for one in run["policies"].values())


@pytest.mark.parametrize("line", lines("run"))
def test_comparisons_and_sweeps(line: str, share_target: Share, tmp_path: Path) -> None:
    target = share_target(*(["--tls"] if "https://" in line else []))
    arguments = in_place(line, target)
    if "https://" in line and "--cacert" not in arguments:  # the page's target has a certificate that all trust
        arguments += ["--cacert", str(target.ca_file)]
    if "--cert" in arguments:
        write_client_certificates(arguments, tmp_path)
    if "--urls" in arguments:
        requests = '{"url": "/", "weight": 2}\n{"url": "/cart", "method": "POST", "body": "{n}"}\n'
        (tmp_path / arguments[arguments.index("--urls") + 1]).write_text(requests, encoding="utf-8")
    if "--template-csv" in arguments:
        (tmp_path / arguments[arguments.index("--template-csv") + 1]).write_text("id\n1\n2\n", encoding="utf-8")
    for word in arguments:
        if word.startswith("@"):
            (tmp_path / word.removeprefix("@")).write_bytes(b"\x89PNG")
    with ExitStack() as stack:
        if "--proxy" in arguments:
            place = arguments.index("--proxy") + 1
            has_login = urlsplit(arguments[place]).username == USER
            proxy, port = stack.enter_context(fake_proxy(asks if has_login else None, password="password"))
            arguments[place] = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", arguments[place])
        long = ["--block", "400ms"] if "1000000" in line else []  # on a busy machine a megabyte takes its time
        run_for = [*arguments, *QUICK, *long, *load_for(line)]
        done = run_cli(*run_for, "--out", "run", cwd=tmp_path)
        run = summary_of(tmp_path / "run")
        if not measured_all(run):  # on a busy machine a policy may need longer for its first request
            done = run_cli(*run_for, "--block", "1s", "--out", "longer", cwd=tmp_path)
            run = summary_of(tmp_path / "longer")
    assert done.code == 0, done.stderr
    assert measured_all(run)
    if "--proxy" in line:
        past = "direct" if "--no-proxy" in line else ""
        assert proxy.shown >= sum(one["requests"] for one in run["policies"].values() if one.get("target", "-") != past)
    if "--json" in line:
        assert json.loads(done.stdout) == run


def test_plan_files(share_target: Share, tmp_path: Path) -> None:
    plans: list[Any] = []
    for number, line in enumerate(lines("plan file")):
        done = run_cli(*in_place(line, share_target()), *QUICK, "--out", f"run{number}", cwd=tmp_path)
        assert done.code == 0, done.stderr
        if "--dry-run" in line:
            assert "persistent" in done.stdout
        else:
            plans.append(json.loads((tmp_path / f"run{number}" / "run.json").read_text(encoding="utf-8"))["plan"])
    first, again = plans
    assert again | {"seed": first["seed"]} == first


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the example run is where the pages say."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "results" / "example", folder / "results" / "example")
    return folder


@pytest.mark.parametrize("line", lines("example"))
def test_what_is_made_of_the_example(line: str, example: Path, no_drawing: None) -> None:
    arguments = shlex.split(line)[1:]
    if arguments[0] != "report":
        arguments += [*QUICK, "--out", str(example / "again")]
    done = run_cli(*arguments, cwd=example)
    assert done.code == 0, done.stderr
    assert "close" in done.stdout


@pytest.mark.parametrize("line", lines("run against run"))
def test_runs_are_compared(line: str, tmp_path: Path) -> None:
    """All of them are copies of the example run."""
    arguments = shlex.split(line)[1:]
    names = {"results/example", *(word for word in arguments if word.startswith("results/"))}
    for name in names:
        shutil.copytree(ROOT / "results" / "example", tmp_path / name)
    done = run_cli(*arguments, cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert "persistent" in done.stdout


def test_a_sweep_is_resumed(tmp_path: Path) -> None:
    (line,) = lines("resume")
    assert run_cli("sweep", "--recycle", "1,2", "--users", "1", *QUICK, "--name", "NAME", cwd=tmp_path).code == 0
    arguments = shlex.split(line)[1:]
    done = run_cli(*arguments, "--no-charts", cwd=tmp_path)
    assert done.code == 0, done.stderr


def test_the_target(start_target: Callable[..., Target]) -> None:
    (line,) = lines("target")
    arguments = shlex.split(line)[2:]
    port = arguments.index("--port")
    target = start_target(*arguments[:port], *arguments[port + 2 :])
    assert target.stats()["requests"] == 0


def test_the_locustfiles_are_listed() -> None:
    (line,) = lines("locustfiles")
    done = run_cli(*shlex.split(line)[1:])
    assert done.code == 0
    assert [row.split()[0] for row in done.stdout.splitlines()] == sorted(
        path.stem for path in (ROOT / "locustfiles").glob("*.py")
    )


NOTHING_ANSWERED = 3
"""The exit code of a run in which no request that began in a measured window was answered."""


@pytest.mark.parametrize("line", lines("locust"))
def test_locust(line: str, share_target: Share, tmp_path: Path) -> None:
    program, *words = shlex.split(line)
    arguments = [share_target().url if "://" in word else word for word in words]
    arguments = [f"{WITHOUT_CHARTS},{ROOT / word}" if word.startswith("locustfiles/") else word for word in arguments]
    for seconds in (2, 20):  # a busy machine may not get to a whole round in two
        arguments[arguments.index("-t") + 1] = f"{seconds}s"
        folder = tmp_path / f"{seconds}"
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", program, *arguments, *BLOCKS],
            capture_output=True, text=True, timeout=120, cwd=folder, check=False,
        )  # fmt: skip
        if done.returncode != NOTHING_ANSWERED:
            break
    assert done.returncode == 0, done.stderr
    assert "\n".join(summary(folder)["verdict_lines"]) in done.stdout


@pytest.mark.parametrize("line", lines("web UI"))
def test_the_web_ui(line: str, tmp_path: Path) -> None:
    port = free_port()
    with running(
        tmp_path, sys.executable, "-m", *shlex.split(line), "--web-port", str(port), "--host", "http://127.0.0.1:9"
    ):
        await_port(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/loadgen", timeout=10) as page:
            assert page.status == 200


# Python


SNIPPETS = snippets()
OF_LOCUST = [name for name, text in SNIPPETS.items() if "loadgen.swarm" in text]
OF_PYTEST = [name for name, text in SNIPPETS.items() if "def test_" in text]


@pytest.fixture
def in_example(example: Path) -> Iterator[Path]:
    with chdir(example):
        yield example


@pytest.mark.parametrize("name", [name for name in SNIPPETS if name not in (*OF_LOCUST, *OF_PYTEST)])
def test_snippets(
    name: str, share_target: Share, in_example: Path, no_drawing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SNIPPETS[name].replace("http://127.0.0.1:8080/", share_target().url)
    text = re.sub(r"rounds=\d+", "rounds=1", re.sub(r'block="\w+"', 'block="100ms", warmup="20ms"', text))
    exec(compile(text, name, "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", OF_PYTEST)
def test_snippets_of_tests(name: str, share_target: Share, tmp_path: Path) -> None:
    text = SNIPPETS[name].replace(
        '"http://127.0.0.1:8080/"', f'"{share_target().url}", users=2, rounds=1, block="100ms"'
    )
    found: dict[str, Any] = {}
    exec(compile(text, name, "exec"), found)
    fixture = Loadgen(tmp_path)
    for test in [value for key, value in found.items() if key.startswith("test_")]:
        test(fixture)
    assert fixture.runs


@pytest.mark.parametrize("name", OF_LOCUST)
def test_snippets_of_locustfiles(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SNIPPETS[name], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "mine.py", "--list"],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for user in re.findall(r"^class (\w+)", SNIPPETS[name], re.M):
        assert user in done.stdout + done.stderr
