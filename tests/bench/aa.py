"""Compares equal policies many times: how many runs find a difference where there is none (A/A tests).

python -m tests.bench.aa [--runs N] [--policies NAME,NAME] [-- OPTIONS OF COMPARE ...]

A run is one of `make compare`'s kind, unless options are given. At a rate of 5 % for each run, 2 of 20 are no surprise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from math import comb
from pathlib import Path
from typing import Any, NamedTuple

_KIND = ("--tls",)
_RATE = 0.05
"""Of runs that claim a difference where there is none: what a verdict promises."""
_MAX_SHARE = 0.1


class Outcome(NamedTuple):
    """What one run found of its first comparison."""

    ratio: float
    """Mean latency, candidate / baseline."""
    interval: tuple[float, float]
    is_certain: bool
    cpu_ratio: float
    """The generator's CPU time per request, candidate / baseline."""
    codes: tuple[str, ...]
    """Codes of the run's warnings."""

    def row(self, number: int) -> str:
        """Its row in the table."""
        low, high = self.interval
        found = "a difference" if self.is_certain else "none"
        codes = ", ".join(self.codes) or "–"
        return f"| {number} | {self.ratio:.4f} [{low:.4f}, {high:.4f}] | {found} | {self.cpu_ratio:.3f} | {codes} |"


def compare_once(folder: Path, policies: str, options: Sequence[str] = _KIND) -> dict[str, Any]:
    """The summary of one run. Raises CalledProcessError where it failed."""
    command = [sys.executable, "-P", "-m", "loadgen", "compare", "--policies", policies, "--json", "--no-charts"]
    done = subprocess.run(
        [*command, "--out", str(folder), *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def outcome(summary: dict[str, Any]) -> Outcome:
    """Raises ValueError for a run of one round, which has no interval."""
    one = summary["comparisons"][0]
    if one["latency_mean_ratio_ci95"] is None:
        raise ValueError("one round has no interval; give at least 2 --rounds")
    low, high = one["latency_mean_ratio_ci95"]
    base, candidate = (summary["policies"][one[side]]["generator"] for side in ("baseline", "candidate"))
    return Outcome(
        one["latency_mean_ratio"],
        (low, high),
        one["is_certain"],
        candidate["cpu_ns_per_request"] / base["cpu_ns_per_request"],
        tuple(warning["code"] for warning in summary["warnings"]),
    )


def chance(found: int, runs: int) -> float:
    """The probability of this number of false alarms or more, at the promised rate."""
    return sum(comb(runs, k) * _RATE**k * (1 - _RATE) ** (runs - k) for k in range(found, runs + 1))


def is_too_many(found: int, runs: int) -> bool:
    return found > max(1, _MAX_SHARE * runs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each run, and how many found a difference; 1 where these are more than a tenth."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.aa", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--policies", default="persistent,persistent")
    parser.add_argument("options", nargs="*", default=_KIND, help="of loadgen compare, behind --")
    chosen = parser.parse_args(arguments)
    print(f"loadgen compare --policies {chosen.policies} {' '.join(chosen.options)}\n")
    print("| run | ratio of means | found | ratio of CPU time | warnings |\n|---:|---:|---|---:|---|")
    outcomes: list[Outcome] = []
    for number in range(1, chosen.runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(outcome(compare_once(Path(folder) / "run", chosen.policies, chosen.options)))
        print(outcomes[-1].row(number), flush=True)
    found = sum(one.is_certain for one in outcomes)
    by_chance = chance(found, chosen.runs)
    print(f"\n{found} of {chosen.runs} runs found a difference; as many or more by chance: {by_chance:.0%}")
    return int(is_too_many(found, chosen.runs))


if __name__ == "__main__":
    sys.exit(main())
