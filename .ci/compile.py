"""Compiles the core beside its sources, where something has changed since it was compiled; one line says what happened.

With LOADGEN_PURE=1 it does nothing, and what is compiled stays as it is. Without a compiler it says so and succeeds:
loadgen then runs as pure Python. When nothing has changed it takes a few hundredths of a second.
"""

from __future__ import annotations

import fcntl
import runpy
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "loadgen"
CORE = runpy.run_path(str(PACKAGE / "core.py"))
LOG = ROOT / "build" / "core.log"


def main() -> None:
    """Compile if needed; two at the same time would be in each other's way."""
    if CORE["pure_is_set"]():
        return
    LOG.parent.mkdir(exist_ok=True)
    with LOG.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            print(build())


def is_current() -> bool:
    """Whether this setup.py has compiled every source there is, as it is now."""
    found = {
        path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.*") if path.suffix in CORE["DECLARATIONS"]
    }
    record = CORE["read_record"](str(PACKAGE))
    if record is None:
        return not found
    made_by = (PACKAGE / CORE["RECORD"]).read_text(encoding="utf-8").partition("\n")[0]
    this = f"# setup.py {CORE['digest']((ROOT / 'setup.py').read_bytes())}"
    return found <= record.keys() and made_by == this and CORE["find_change"](str(PACKAGE), record) is None


def build() -> str:
    """Run setup.py; returns the line that says what came of it."""
    started = time.monotonic()
    with LOG.open("w", encoding="utf-8") as log:
        command = [sys.executable, "setup.py", "build_ext", "--inplace"]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    lines = LOG.read_text(encoding="utf-8", errors="replace").split("\n")
    reasons = [line for line in lines if line.startswith("loadgen runs as pure Python: ")]
    if reasons:
        return f"{reasons[-1]}. The log is {LOG.relative_to(ROOT)}."
    if done.returncode:
        return f"loadgen runs as pure Python: setup.py failed. The log is {LOG.relative_to(ROOT)}."
    return f"Compiled the core in {time.monotonic() - started:.0f} s."


if __name__ == "__main__":
    main()
