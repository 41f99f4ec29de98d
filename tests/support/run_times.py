"""How long a headless Locust run loaded its target, beside programs that keep every processor busy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple, cast

from loadgen.measure.data.store import RunStore
from loadgen.model.block_facts import BlockFacts
from loadgen.model.units import NS_PER_S
from tests.support.locusts import BLOCKS, command

POLICIES = ("persistent", "close")
SLACK_S = 1.0
_BUSY = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass"


class RunTime(NamedTuple):
    """One run."""

    asked_s: float
    loaded_s: float
    """From the begin of its first block to the end of its last, whole or not."""
    round_s: float
    """What a whole round took with all that belongs to it: the median."""
    rounds: int
    """Whole rounds, which the figures count."""
    cut: int
    """Blocks that the figures count and that had not their full time; there must be none."""

    @property
    def is_right(self) -> bool:
        """Within a second and one round of the time that was asked for, and no block that was cut is counted."""
        return abs(self.loaded_s - self.asked_s) <= SLACK_S + self.round_s and not self.cut


@contextmanager
def busy_machine(programs: int, max_s: float) -> Iterator[None]:
    """That many programs compute meanwhile, and no longer than `max_s`."""
    busy = [subprocess.Popen([sys.executable, "-c", _BUSY.format(max_s)]) for _ in range(programs)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.wait()


def measure(folder: Path, seconds: int, *arguments: str, block: tuple[str, ...] = BLOCKS) -> RunTime:
    """A run of compare.py on the embedded target. Raises CalledProcessError where it fails."""
    folder.mkdir(exist_ok=True)
    line = command("compare.py", "--headless", "-u", "4", "-r", "4", "-t", f"{seconds}s", "--only-summary")
    line += [*block, "--run-name", "r", *arguments]
    subprocess.run(line, cwd=folder, check=True, capture_output=True, timeout=seconds + 120)
    store = RunStore.open(folder / "results" / "r")
    rounds_s = cast("list[float]", store.load_run()["rounds_s"])
    samples = store.load_samples(POLICIES)
    blocks = sorted([*samples.blocks, *samples.incomplete], key=lambda one: one["index"])
    rounds = {one["round"] for one in samples.blocks}
    return RunTime(
        seconds,
        _span_s(blocks),
        median(rounds_s[number] for number in rounds),
        len(rounds),
        sum(not one.get("whole") for one in samples.blocks),
    )


def processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def _span_s(blocks: list[BlockFacts]) -> float:
    """From the begin of the first block's load to the end of the last one's."""
    return (blocks[-1]["window_ended_ns"] - blocks[0]["load_begun_ns"]) / NS_PER_S
