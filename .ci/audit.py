"""Known vulnerabilities of the versions in constraints.txt, by pip-audit; and whether what is installed fits together.

Fails where pip or pip-audit finds something. Where the advisory service or pip-audit itself can't be reached, one line
says so, and nothing fails: a machine without that network runs all the rest. pip-audit has an environment of its own
for the time that it takes: its many dependencies are none of loadgen's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FOUND = re.compile(r"^Found \d+ known vulnerabilit", re.MULTILINE)
_SKIPPED = "could not be audited"
_TIMEOUT_S = 300


def outcome(code: int, output: str) -> tuple[int, str]:
    """The exit code and the text for people, from those of pip-audit."""
    skipped = output.count(_SKIPPED)
    if code == 0 and skipped:  # a mirror that holds packages, but no advisories
        return 0, f"pip-audit could not run: the advisory service that it reached does not know {skipped} packages"
    if code == 0:
        return 0, "pip-audit: no known vulnerabilities"
    if _FOUND.search(output):
        return 1, output.strip()
    lines = output.strip().splitlines() or ["it said nothing"]
    return 0, f"pip-audit could not run: {lines[-1]}"


def audit() -> tuple[int, str]:
    """Run pip-audit; gives its outcome."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        code, output = _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit")
        if code:
            return outcome(code, output)
        # Each line of the file is a version of its own, so nothing has to be resolved.
        listed = ("--requirement", str(ROOT / "constraints.txt"), "--no-deps", "--disable-pip")
        return outcome(*_run(str(python), "-m", "pip_audit", *listed, "--progress-spinner", "off", "--timeout", "15"))


def _run(*command: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=_TIMEOUT_S,
            env={**os.environ, "PIP_CONSTRAINT": ""},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout


def main() -> int:
    """The exit code of both."""
    fits, conflicts = _run(sys.executable, "-m", "pip", "check")
    code, text = audit()
    print(conflicts.strip(), text, sep="\n")
    return fits or code


if __name__ == "__main__":
    sys.exit(main())
