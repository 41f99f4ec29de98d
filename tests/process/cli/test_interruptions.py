"""A signal in any phase of a command: exit code 130, one line at most, and what was measured can be reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loadgen.startup import ENDING_SIGNALS
from tests.support import signals_at
from tests.support.processes import QUICK, loadgen, wait_until
from tests.support.runs import Start

HOOK = str(Path(signals_at.__file__ or "").parent)
RUN = ["compare", "--users", "2", *QUICK, "--out", "folder/run", "--quiet"]

# At which event of which text, which of them; whether there is something to report then.
PHASES = {
    "the first module": ("import", 1, "loadgen.core", False),
    "the command line's library": ("import", 1, "click", False),
    "the commands": ("import", 1, "loadgen.cli.commands", False),
    "numpy": ("import", 1, "numpy", False),
    "the run's folder is made": ("os.mkdir", 2, "folder", False),
    "the target starts": ("subprocess.Popen", 1, "target", False),
    "the record is written": ("open", 2, "run.json", False),
    "the samples are written": ("open", 1, ".samples.npz.new", True),
    "the rows are removed": ("os.remove", 1, "exchanges.rows", True),
    "the summary is written": ("open", 1, ".summary.json.new", True),
    "the charts' library": ("import", 1, "matplotlib", True),
    "the page is written": ("open", 1, ".report.html.new", True),
}


def interrupted(at: str, number: int, arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command; the signal comes at that point."""
    environment = os.environ | {"PYTHONPATH": HOOK, "SIGNAL_AT": f"{int(number)} {at}", "LOADGEN_PURE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "loadgen", *arguments],
        capture_output=True, text=True, timeout=120, cwd=cwd, env=environment, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.usefixtures("no_drawing")
@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_in_each_phase(phase: str, tmp_path: Path) -> None:
    event, count, text, is_saved = PHASES[phase]
    done = interrupted(f"{event} {count} {text}", signal.SIGINT, RUN, tmp_path)
    assert (done.returncode, done.stdout) == (130, "")
    said = "; loadgen report folder/run shows what had been measured" if is_saved else ""
    assert done.stderr == f"loadgen: interrupted{said}\n"
    if not is_saved:
        assert list(tmp_path.iterdir()) == []
        return
    rebuilt = loadgen("report", "folder/run", "--json", cwd=tmp_path)
    assert (rebuilt.returncode, rebuilt.stderr) == (0, "")
    assert '"persistent"' in rebuilt.stdout


def test_ctrl_c_while_the_target_is_audited(tmp_path: Path) -> None:
    done = interrupted("socket.connect 20 127.0.0.1", signal.SIGINT, [*RUN, "--probe"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "loadgen: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize(("at", "said"), [("import 1 click", ""), ("open 1 .summary.json.new", "; loadgen report")])
def test_other_signals_have_a_line_of_their_own(number: signal.Signals, at: str, said: str, tmp_path: Path) -> None:
    done = interrupted(at, number, RUN, tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (130, 1)
    assert done.stderr.startswith(f"loadgen: ended by {number.name}{said}")


@pytest.mark.parametrize("command", [["_worker", "."], ["target", "--port", "0"], ["report", "."], ["--help"]], ids=str)
def test_every_command_ends_in_one_line(command: list[str], tmp_path: Path) -> None:
    module = "loadgen.cli.worker_main" if command[0] == "_worker" else "loadgen.cli.options"
    done = interrupted(f"import 1 {module}", signal.SIGINT, command, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "loadgen: interrupted\n")


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_a_signal_to_the_whole_group_saves_what_was_measured(
    share_target: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """So a terminal sends Ctrl-C, Ctrl-backslash and its own end. The load's processes are groups of their own."""
    target = share_target()
    draws = number == signal.SIGINT
    command = ["compare", target.url, "--users", "2", "--block", "60s", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", *command, *([] if draws else ["--no-charts"])],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: target.stats()["requests"] >= 500, process)
        os.killpg(process.pid, number)
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in out
    assert said == ("" if number == signal.SIGINT else f"loadgen: ended by {number.name}\n")
    assert (tmp_path / "run" / ("report.html" if draws else "summary.json")).exists()


def test_a_second_signal_ends_the_load_at_once(share_target: Start, tmp_path: Path) -> None:
    """The workers are killed in the middle of a request that would take a minute; their rows are there."""
    target = share_target("--delay", "60s")
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", "compare", target.url, "--users", "50", "--timeout", "9m", "--block", "9m",
         "--out", "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    try:
        wait_until(lambda: target.stats()["accepted"] >= 1, process)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
