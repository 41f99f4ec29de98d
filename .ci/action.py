"""A step of GitHub Actions: runs loadgen as the inputs of action.yml say, and exits as it does.

Inputs are variables INPUT_NAME of the environment. The run's folder and its verdict become outputs of the step; summary
and annotations come from the export format `github`.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_SAVES_A_RUN = ("compare", "sweep")


def arguments(inputs: Mapping[str, str]) -> list[str]:
    """The command line that the inputs are; one that is empty says nothing."""
    command = inputs.get("INPUT_COMMAND") or "compare"
    found = [command, *filter(None, [inputs.get("INPUT_URL", "").strip()]), "--yes"]
    if command in _SAVES_A_RUN:
        found += ["--out", inputs["INPUT_OUT"], "--export", "github"]
    for flag, name in (("--policies", "INPUT_POLICIES"), ("--max-errors", "INPUT_MAX_ERRORS")):
        if value := inputs.get(name, "").strip():
            found += [flag, value]
    for line in inputs.get("INPUT_FAIL_IF", "").splitlines():
        if gate := line.strip():
            found += ["--fail-if", gate]
    return [*found, *shlex.split(inputs.get("INPUT_OPTIONS", ""))]


def outputs(folder: Path, *, is_old: bool) -> dict[str, str]:
    """What later steps may read; nothing where no run was saved. is_old: an earlier step's run is in the folder."""
    summary = folder / "summary.json"
    if is_old or not summary.is_file():
        return {}
    verdict = json.loads(summary.read_text(encoding="utf-8"))["verdict"]
    return {"folder": str(folder), "verdict": " ".join(verdict.split())}


def main() -> None:
    """Run it, and write the outputs whatever came of it."""
    command = [sys.executable, "-P", "-m", "loadgen", *arguments(os.environ)]
    print("$", shlex.join(["loadgen", *command[4:]]), flush=True)
    folder = Path(os.environ["INPUT_OUT"])
    is_old = (folder / "run.json").exists()  # a run is never overwritten
    done = subprocess.run(command, check=False)
    found = outputs(folder, is_old=is_old)
    if file := os.environ.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in found.items())
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
