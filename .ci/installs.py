"""Proves that loadgen installs on each CPython of this machine, and works with the oldest.

With each minor version from 3.11 on (.ci/pythons.sh finds them) pip must find versions of everything within
constraints.txt. With the oldest, a clean copy is installed into a fresh environment while no C compiler can be found;
there, in an empty folder, the command must know its locustfiles and must compare, as pure Python. Then a compiled wheel
takes its place: it must compare as well, compiled, and the unit tests must pass with it.

Where there is one CPython only, `make test` runs the unit tests with it anyway, so they are not run twice.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COMPILER = re.compile(r"(.+-)?(cc|c89|c99|gcc|clang|tcc|c\+\+|g\+\+)(-[0-9.]+)?")
COMPARE = ("compare", "--tls", "--users", "1", "--block", "200ms", "--rounds", "2")


def main() -> None:
    """Each step prints its name and time; the first that fails ends the script with what it printed."""
    pythons = minor_versions()
    if not pythons:
        sys.exit("no CPython 3.11 or newer was found")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # In a copy: pip builds where the project lies, and what an earlier build left there would get into the wheel.
        project = runpy.run_path(str(ROOT / ".ci" / "wheel.py"))["clean_copy"](folder / "project")
        with ThreadPoolExecutor(2) as pool:  # pip waits for the index most of the time
            resolves = [pool.submit(prove_resolves, *each, project, folder) for each in pythons.items()]
        for one in resolves:
            one.result()
        version, python = list(pythons.items())[-1]
        environment = prove_works(version, python, project, folder)
        if len(pythons) > 1:
            # -P and -p: the tests meet the wheel, not the checkout that they lie in.
            tests = [
                "-P",
                "-m",
                "pytest",
                "-p",
                "loadgen.core",
                "-m",
                "not alone",
                "-n",
                "2",
                "tests/unit",
                "tests/house",
            ]
            step(f"{version}: the unit tests", [str(environment / "bin" / "python"), *tests], ROOT, 600)


def minor_versions() -> dict[str, str]:
    """The newest CPython of each minor version, the newest first: version -> path."""
    listed = subprocess.run([ROOT / ".ci" / "pythons.sh"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, tuple[str, str]] = {}
    for line in listed.splitlines():
        version, _, python = line.partition(" ")
        found.setdefault(version.rpartition(".")[0], (version, python))
    return dict(found.values())


def prove_resolves(version: str, python: str, project: Path, folder: Path) -> None:
    """The constraints hold with this CPython: pip finds a version of everything, and installs nothing."""
    pip = [*new_environment(python, folder / version), "install", "-q", "--dry-run", "--ignore-installed"]
    step(f"{version}: the constraints hold", [*pip, "-c", "constraints.txt", "-e", ".[dev]"], project, 300)


def prove_works(version: str, python: str, project: Path, folder: Path) -> Path:
    """Without a compiler and as a compiled wheel it does its work from an empty folder; returns the environment."""
    environment, empty = folder / "installed", folder / "empty"
    empty.mkdir()
    pip = [*new_environment(python, environment), "install", "-q", "-c", str(project / "constraints.txt")]
    loadgen, path = str(environment / "bin" / "loadgen"), os.environ["PATH"]
    os.environ["PATH"] = str(without_compilers(folder / "bin"))
    step(f"{version}: install without a compiler", [*pip, f"{project}[dev]"], empty, 600)
    listed = step(f"{version}: loadgen locust --list", [loadgen, "locust", "--list"], empty, 60)
    names = {line.split()[0] for line in listed.splitlines()}
    if names != {path.stem for path in (ROOT / "locustfiles").glob("*.py")}:
        sys.exit(f"the package does not hold the files of locustfiles/; it lists:\n{listed}")
    headless = ["locust", "persistent", "--headless", "-u", "1", "-t", "1s", "--only-summary"]
    step(f"{version}: loadgen {' '.join(headless)}", [loadgen, *headless], empty, 60)
    prove_compares(version, loadgen, empty, "pure")

    os.environ["PATH"] = path
    step(f"{version}: make wheel", [str(environment / "bin" / "python"), ".ci/wheel.py"], project, 600)
    [wheel] = (project / "dist").iterdir()
    os.environ["PATH"] = str(folder / "bin")
    step(f"{version}: install {wheel.name}", [*pip, "--force-reinstall", "--no-deps", str(wheel)], empty, 60)
    prove_compares(version, loadgen, empty, "compiled")
    os.environ["PATH"] = path
    return environment


def prove_compares(version: str, loadgen: str, folder: Path, core: str) -> None:
    """A comparison is made, and by this core."""
    step(f"{version}: loadgen {' '.join(COMPARE)}, {core}", [loadgen, *COMPARE, "--name", core], folder, 120)
    ran = json.loads((folder / "results" / core / "run.json").read_text(encoding="utf-8"))["environment"]["core"]
    if ran != core:
        sys.exit(f"the core that ran is {ran}; it should be {core}")


def without_compilers(folder: Path) -> Path:
    """A folder with every command on PATH but compilers."""
    folder.mkdir()
    for place in os.get_exec_path():
        for command in Path(place).glob("*"):
            link = folder / command.name
            if not (_COMPILER.fullmatch(command.name) or link.is_symlink()):
                link.symlink_to(command)
    return folder


def new_environment(python: str, folder: Path) -> list[str]:
    """A virtual environment; returns the pip command for it, the interpreter's own where ensurepip is missing."""
    created = subprocess.run([python, "-m", "venv", folder], capture_output=True, check=False)
    if created.returncode == 0:
        return [str(folder / "bin" / "python"), "-m", "pip"]
    step(f"{python}: venv without pip", [python, "-m", "venv", "--clear", "--without-pip", str(folder)], ROOT, 60)
    return [python, "-m", "pip", "--python", str(folder / "bin" / "python")]


def step(name: str, command: Sequence[str], folder: Path, timeout_s: float) -> str:
    """Run a command that must succeed; returns what it printed."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        sys.exit(f"{name}: not done after {timeout_s:.0f} s\n{_last_lines(error.stdout)}")
    if done.returncode:
        sys.exit(f"{name}: failed with exit code {done.returncode}\n{_last_lines(done.stdout)}")
    print(f"{name}: passed in {time.monotonic() - started:.1f} s", flush=True)
    return done.stdout


def _last_lines(output: str | bytes | None) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return "\n".join(text.splitlines()[-40:])


if __name__ == "__main__":
    main()
