"""A secret in each place that can hold one is sent and left nowhere: no file, no output, no process list."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.show.export import EXPORTERS
from tests.support.processes import QUICK, loadgen
from tests.support.targets import Target

CANARY = "c4n4ryS3cret"
BODY = json.dumps({"user": "me", "password": CANARY})
SECRETS = {
    "-H": [
        f"Authorization: Bearer {CANARY}", f"X-Api-Key: {CANARY}", f"Cookie: a={CANARY}", f"X-Auth-Token: {CANARY}",
        f"X-Amz-Security-Token: {CANARY}", f"X-Other: Basic {CANARY}", f"Referer: http://h/?session={CANARY}",
    ],
    "--data": [BODY],
}  # fmt: skip
OPTIONS = [part for option, values in SECRETS.items() for value in values for part in (option, value)]
IN_ANY_FORM = [CANARY.encode(), base64.b64encode(CANARY.encode())[2:-4], CANARY[::-1].encode()]


@pytest.fixture
def target(share_target: Callable[..., Target]) -> Target:
    return share_target()


def url(target: Target) -> str:
    return f"{target.url}?a=1&access_token={CANARY}&b=2"


def leaks(*texts: str, folder: Path) -> Iterator[str]:
    """Where the canary is to be seen: in an output, or in a file of the folder, unpacked too."""
    for text in texts:
        if CANARY in text:
            yield text
    for path in sorted(folder.rglob("*")):
        if path.is_file() and any(form in content for content in _contents(path) for form in IN_ANY_FORM):
            yield str(path)


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            yield from (array.tobytes() for array in arrays.values())
    if path.name in ("run.json", "summary.json"):  # a body is recorded in base64
        yield base64.b64decode(json.loads(content)["plan"]["body_base64"])
    if path.suffix == ".html":
        for part in content.split(b"base64,")[1:]:
            yield base64.b64decode(part.partition(b"'")[0])


def test_a_run_keeps_no_secret(target: Target, tmp_path: Path) -> None:
    out, plan = tmp_path / "run", tmp_path / "plan.toml"
    done = loadgen("compare", url(target), "--out", str(out), "--save-plan", str(plan), *QUICK, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert list(leaks(done.stdout, done.stderr, folder=tmp_path)) == []
    assert "access_token=***" in done.stdout
    # It was sent.
    recorded = json.loads((out / "run.json").read_text(encoding="utf-8"))["plan"]
    assert recorded["url"].endswith("?a=1&access_token=***&b=2")
    assert {value for _, value in recorded["headers"]} == {"***", "http://h/?session=***"}
    assert json.loads(base64.b64decode(recorded["body_base64"])) == {"user": "me", "password": "***"}
    # What is made of the run later has no other source.
    formats = [name for name, one in EXPORTERS.items() if not one.needs]
    exports = [f"github={out / 'step.md'}" if name == "github" else name for name in formats]
    again = loadgen("report", str(out), *(part for one in exports for part in ("--export", one)))
    assert again.returncode == 0, again.stderr
    assert {EXPORTERS[name].file_name for name in formats} - {path.name for path in out.iterdir()} == {
        "step_summary.md"
    }
    assert list(leaks(again.stdout, again.stderr, folder=tmp_path)) == []
    _repeated(target, out, plan)


def _repeated(target: Target, out: Path, plan: Path) -> None:
    """Neither the run nor its plan runs again without what was left out, and each says what that is."""
    headers = [part for value in SECRETS["-H"] for part in ("-H", value)]
    for given, missing in (
        ([], "Authorization"),
        (headers, "the URL's access_token was not recorded"),
        ([*headers, url(target)], "the body's password was not recorded"),
    ):
        done = loadgen("compare", "--plan", str(out), "--dry-run", *given)
        assert (done.returncode, done.stdout) == (2, "")
        assert missing in done.stderr
        assert CANARY not in done.stderr
    assert loadgen("compare", "--plan", str(out), "--dry-run", *headers, url(target), "--data", BODY).returncode == 0
    written = plan.read_text(encoding="utf-8")
    for name in ("Authorization", "X-Api-Key", "Referer", "access_token", "password"):
        assert name in written
    assert "the URL's access_token was not recorded" in loadgen("compare", "--plan", str(plan), "--dry-run").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [f"http://user:{CANARY}@127.0.0.1:99999/"],
        [f"http://user:{CANARY}/@127.0.0.1/"],
        [f"user:{CANARY}@127.0.0.1"],
        [f"http://127.0.0.1/ ?token={CANARY}"],
        ["http://127.0.0.1/", f"http://user:{CANARY}@127.0.0.1/"],
        ["http://127.0.0.1/", "-H", f"Authorization Bearer {CANARY}"],
        ["http://127.0.0.1/", "-H", CANARY],
        ["http://127.0.0.1/", "-H", f"Authorization: {CANARY}\n"],
        ["http://127.0.0.1/", "--proxy", f"user:{CANARY}@127.0.0.1"],
        ["http://127.0.0.1/", "--proxy", f"http://user:{CANARY}@127.0.0.1:x/"],
        [f"http://127.0.0.1:1/?api_key={CANARY}", "--timeout", "1s", "--out", "run"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(CANARY, "CANARY").replace("\n", " "),
)
def test_no_refusal_repeats_a_secret(tmp_path: Path, arguments: list[str]) -> None:
    done = loadgen("compare", *arguments, *QUICK, cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert len(done.stderr.splitlines()) == 1
    assert list(leaks(done.stdout, done.stderr, folder=tmp_path)) == []


@pytest.mark.parametrize(
    "text", [f"headers = {{Authorization = ['{CANARY}']}}", f"url = ['{CANARY}']", f"data = ['{CANARY}']"]
)
def test_no_complaint_about_a_plan_file_does(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    done = loadgen("compare", "--plan", str(tmp_path / "plan.toml"))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert CANARY not in done.stderr


def test_workers_get_no_secret_on_their_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    """`ps` shows a worker's arguments to everybody on the machine: the plan goes by standard input."""
    from loadgen.cli import worker_pool

    seen: list[str] = []
    start = worker_pool.subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> Any:
        process = start(*arguments, **options)
        folder = Path("/proc", str(process.pid))
        seen.extend((folder / name).read_bytes().decode("latin-1") for name in ("cmdline", "environ"))
        return process

    monkeypatch.setattr(worker_pool.subprocess, "Popen", popen)
    done = loadgen(
        "compare",
        url(target),
        "--out",
        str(tmp_path / "run"),
        "--no-charts",
        *QUICK,
        *OPTIONS,
        "--processes",
        "2",
        "--users",
        "2",
    )
    assert done.returncode == 0, done.stderr
    assert len(seen) >= 4
    assert not [text for text in seen if CANARY in text]
