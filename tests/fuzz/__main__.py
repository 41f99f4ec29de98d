"""Fuzzes every target, as many at a time as there are cores, then compares both builds on all inputs that were found.

    make fuzz                            10 minutes a core
    make fuzz FUZZ="--minutes 1 http2"   one target, one minute

Seeds are in tests/fuzz/seeds/; inputs that reached new branches stay in build/fuzz/, and a later run goes on from them.
An input that broke a target is in build/fuzz/TARGET.found/: mend the code, and keep the input as a seed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from tests.fuzz.targets import MAX_INPUT_BYTES, TARGETS

SEEDS = Path(__file__).parent / "seeds"
CORPUS = Path("build") / "fuzz"
_ENVIRONMENT = {**os.environ, "LOADGEN_PURE": "1"}
_STATUS = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: \d+ corp: (\d+)")
_MAX_INPUT_S = 10
_MAX_RSS_MIB = 2048


def main() -> None:
    """Exit code 1 where an input broke a target, or the builds differ."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="fuzz what reads a peer's bytes")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each core (default: %(default)s)")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)} (default: all)")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"{unknown[0]} is no target; there are {', '.join(TARGETS)}")
    names = options.targets or list(TARGETS)
    cores = min(len(os.sched_getaffinity(0)), len(names))
    seconds = max(1, round(options.minutes * 60 * cores / len(names)))
    broken = fuzz(names, cores, seconds)
    different = [name for name in names if not builds_agree(name)]
    sys.exit(1 if broken or different else 0)


def fuzz(names: list[str], cores: int, seconds: int) -> list[str]:
    """Fuzz each for `seconds`, `cores` at a time; gives the targets that an input broke."""
    waiting = deque(names)
    running: dict[str, subprocess.Popen[bytes]] = {}
    broken = []
    while waiting or running:
        while waiting and len(running) < cores:
            name = waiting.popleft()
            running[name] = _start(name, seconds)
        for name, process in list(running.items()):
            if process.poll() is not None:
                del running[name]
                print(f"{name}: {_result(name, process.returncode)}", flush=True)
                if process.returncode:
                    broken.append(name)
        time.sleep(0.2)
    return broken


def _start(name: str, seconds: int) -> subprocess.Popen[bytes]:
    corpus, found = CORPUS / name, CORPUS / f"{name}.found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    limits = [
        f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", f"-timeout={_MAX_INPUT_S}",
        f"-rss_limit_mb={_MAX_RSS_MIB}", f"-artifact_prefix={found}/", "-print_final_stats=1",
    ]  # fmt: skip
    command = [sys.executable, "-m", "tests.fuzz.one", name, *limits, str(corpus), str(SEEDS / name)]
    with _log(name).open("wb") as log:
        return subprocess.Popen(command, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _result(name: str, code: int) -> str:
    if code and any((CORPUS / f"{name}.found").iterdir()):
        return f"an input broke it: {CORPUS / name}.found/, and why: {_log(name)}"
    if code:
        return f"it did not run: {_log(name)}"
    status = _STATUS.findall(_log(name).read_text(errors="replace"))
    if not status:
        return f"nothing is known of the run: {_log(name)}"
    runs, branches, kept = status[-1]
    return f"{int(runs):,} inputs, {branches} branches, {kept} inputs kept, no finding"


def _log(name: str) -> Path:
    return CORPUS / f"{name}.log"


def builds_agree(name: str) -> bool:
    """Whether the compiled core reads all inputs as pure Python does; True, with a line, where nothing is compiled."""
    folders = [str(SEEDS / name), str(CORPUS / name)]
    command = [sys.executable, "-m", "tests.fuzz.replay", name, *folders]
    outputs = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
        for environment in (_ENVIRONMENT, {**os.environ, "LOADGEN_PURE": ""})
    ]
    pure, compiled = outputs
    if compiled[0] == pure[0]:
        print(f"{name}: the core is not compiled, so there is nothing to compare")
        return True
    for line, other in zip(pure[1:], compiled[1:], strict=True):
        if line != other:
            print(f"{name}: pure Python and the compiled core differ\n  pure     {line}\n  compiled {other}")
            return False
    print(f"{name}: both builds agree on {len(pure) - 1:,} inputs")
    return True


if __name__ == "__main__":
    main()
