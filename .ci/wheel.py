"""Builds a wheel for this Python into dist/, with the core compiled, and prints its path.

auditwheel gives it the manylinux tag of the oldest C library that it runs with. Without a compiler, or with
LOADGEN_PURE=1, the wheel is of pure Python and for every CPython.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
# In a copy: what an earlier build left in the project's folder would get into the wheel.
NOT_COPIED = shutil.ignore_patterns(
    *(".git", ".venv", "build", "dist", "results", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"),
    *("*.so", "core.*.txt"),
)
# The hook that pip calls, in this environment: its Cython is the one of constraints.txt.
_BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"


def main() -> None:
    """Build, and move the wheel into dist/."""
    with tempfile.TemporaryDirectory() as temporary:
        project = clean_copy(Path(temporary, "project"))
        command = [sys.executable, "-c", _BUILD, temporary]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"the wheel could not be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        for line in done.stdout.splitlines():
            if line.startswith("loadgen runs as pure Python"):
                print(line)
        wheel = Path(temporary, done.stdout.split()[-1])
        DIST.mkdir(exist_ok=True)
        print(f"dist/{with_platform(wheel)}")


def clean_copy(folder: Path) -> Path:
    """The project without anything built but C sources, which are the same for every CPython and known by digests."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=NOT_COPIED)
    translated = Path("build", "cython")
    if (ROOT / translated).exists():
        shutil.copytree(ROOT / translated, folder / translated)
    return folder


def with_platform(wheel: Path) -> str:
    """The name of the wheel in dist/: with a manylinux tag, where it holds machine code."""
    if not wheel.stem.endswith("-linux_" + os.uname().machine):
        shutil.move(wheel, DIST / wheel.name)
        return wheel.name
    tools = Path(sys.executable).parent
    done = subprocess.run(
        [tools / "auditwheel", "repair", "--wheel-dir", wheel.parent / "repaired", wheel],
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"},  # it looks for patchelf there
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"auditwheel refuses the wheel:\n{done.stderr[-2000:]}")
    [repaired] = (wheel.parent / "repaired").iterdir()
    shutil.move(repaired, DIST / repaired.name)
    return repaired.name


if __name__ == "__main__":
    main()
