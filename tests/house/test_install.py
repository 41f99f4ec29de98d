"""`make install` takes the newest Python that works, and says why others do not. Here the Pythons are shell scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / ".ci"
TOOLS = ("bash", "sh", "awk", "cat", "chmod", "dirname", "grep", "head", "mkdir", "mktemp", "rm", "sed", "sort", "tail")
# It answers the question for its version, and as `-m venv FOLDER` it writes an environment whose pip does {pip}.
PYTHON = """\
#!/bin/sh
case "$*" in
  -c*) echo "{version} $0" ;;
  *venv*) for folder; do :; done; mkdir -p "$folder/bin"
    printf '#!/bin/sh\\n%s\\n' '{pip}' > "$folder/bin/python"; chmod +x "$folder/bin/python" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: what the scripts need, and no Python yet."""
    path = tmp_path / "bin"
    path.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (path / tool).symlink_to(found)
    return path


def add_python(folder: Path, version: str, pip: str) -> None:
    python = folder / f"python{version.rpartition('.')[0]}"
    python.write_text(PYTHON.format(version=version, pip=pip), encoding="utf-8")
    python.chmod(0o755)


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / "install.sh", str(folder.parent / "venv")],
        capture_output=True,
        text=True,
        env={"PATH": str(folder)},
        timeout=60,
        check=False,
    )


def test_the_newest_that_works_is_taken(folder: Path) -> None:
    add_python(folder, "3.11.9", "exit 0")
    add_python(folder, "3.13.1", "echo ERROR: no wheel; exit 1")
    add_python(folder, "3.12.4", "exit 0")
    done = install(folder)
    tried = [line.split()[5] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr, tried) == (0, "", ["3.13.1", "3.12.4"])


def test_each_failure_has_the_reason_that_pip_gave(folder: Path) -> None:
    add_python(
        folder, "3.11.9", "echo Collecting one; echo ERROR: Cannot install one.; echo; echo    two needs three; exit 1"
    )
    add_python(folder, "3.12.4", "echo Killed; exit 9")
    done = install(folder)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "The installation failed with every CPython found:",
        f"CPython 3.12.4 ({folder}/python3.12):",
        "  Killed",
        f"CPython 3.11.9 ({folder}/python3.11):",
        "  ERROR: Cannot install one.",
        "  two needs three",
    ]
    assert not (folder.parent / "venv").exists()


def test_a_machine_without_python(folder: Path) -> None:
    done = install(folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No CPython 3.11 or newer was found" in done.stderr


def test_this_python_is_found(folder: Path) -> None:
    python = os.path.realpath(sys.executable)
    (folder / "python3").symlink_to(python)
    (folder / f"python3.{sys.version_info.minor}").symlink_to(python)
    found = subprocess.run(
        [SCRIPTS / "pythons.sh"], capture_output=True, text=True, env={"PATH": str(folder)}, check=True
    )
    assert found.stdout == f"{'.'.join(map(str, sys.version_info[:3]))} {python}\n"
