"""A wheel in an environment of its own: what Locust needs of loadgen is in it, wherever the command is called."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.browser import WebUI
from tests.support.locusts import BLOCKS, account, check_sums, counts, summary
from tests.support.processes import await_port, free_port

ROOT = Path(__file__).parents[3]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=180, check=False, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def loadgen_command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an installed wheel of pure Python; what it depends on is that of the present environment."""
    pytest.importorskip("pip", reason="this environment was made without pip")
    folder = tmp_path_factory.mktemp("wheel")
    wheel = runpy.run_path(str(ROOT / ".ci" / "wheel.py"))
    project = wheel["clean_copy"](folder / "project")
    built = run(sys.executable, "-c", wheel["_BUILD"], folder, cwd=project, LOADGEN_PURE="1").split()[-1]
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, folder / built, cwd=folder)
    paths = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    Path(paths, "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    where = run(python, "-P", "-c", "import loadgen; print(loadgen.__file__)", cwd=folder).strip()
    assert Path(where).is_relative_to(folder / "venv")
    return python.with_name("loadgen")


@contextmanager
def web_ui(command: Path, folder: Path, *arguments: str) -> Iterator[WebUI]:
    """As a person starts and ends it."""
    port = free_port()
    process = subprocess.Popen(
        [command, "ui", *arguments, "--web-port", str(port)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        await_port(port)
        yield WebUI(f"http://127.0.0.1:{port}/")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_locust_has_all_that_it_needs(loadgen_command: Path, tmp_path: Path) -> None:
    listed = run(loadgen_command, "locust", "--list", cwd=tmp_path)
    assert "scenario" in listed
    own = tmp_path / "own.py"
    own.write_text("from loadgen.swarm import SwarmUser\n\n\nclass Mine(SwarmUser):\n    pass\n", encoding="utf-8")
    with web_ui(loadgen_command, tmp_path, "own.py") as ui:
        page = ui.get("").body.decode()
        assert '"Connection reuse"' in page
        assert "own.py" in page
        for name in ("tab.js", "field_groups.js", "plots.js", "d3.min.js", "style.css", "colours.css"):
            assert ui.get(f"loadgen/static/{name}").status == 200
        assert ui.get("loadgen").status == 200
    load = ("--headless", "-u", "2", "-r", "2", "-t", "2s", *BLOCKS, "--export", "json=summary-too.json")
    run(loadgen_command, "locust", "compare", *load, cwd=tmp_path)
    found = summary(tmp_path)
    check_sums(found)
    assert counts(found) == account(found)
    assert (tmp_path / "summary-too.json").exists()
    assert next(tmp_path.glob("results/*/report.html")).stat().st_size > 500_000
