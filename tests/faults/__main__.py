"""`python -m tests.faults`: kills processes of runs, and reports, at random moments; prints what was left each time.

Exits with 1 where a report could not be made, lost more than a second, or found a torn file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.faults.kills import VICTIMS, Interrupted, Killed, kill_in_report, kill_in_run
from tests.faults.outcomes import wrong
from tests.support.processes import loadgen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="runs of which a process is killed")
    parser.add_argument("--reports", type=int, default=20, help="reports that are killed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="loadgen-faults-") as name:
        folder = Path(name)
        killed = [_kill(folder / f"{number}", number, random) for number in range(options.kills)]
        for victim in VICTIMS:
            _sum_up(victim, [one for one in killed if one.victim == victim])
        interrupted = _interrupt(folder / "reports", options.reports, random)
    torn = [one for one in interrupted if one.torn or one.report.code]
    ended = sum(one.had_ended for one in interrupted)
    print(
        f"reports killed: {len(interrupted) - ended} of {len(interrupted)}, with torn files or unreadable: {len(torn)}"
    )
    return 1 if torn or any(wrong(one) for one in killed) else 0


def _kill(folder: Path, number: int, random: Random) -> Killed:
    one = kill_in_run(folder, VICTIMS[number % len(VICTIMS)], random)
    print(
        f"{number + 1:3d} {one.victim:8s} after {one.after_s:4.2f} s: exit {one.code:3d}, {one.requests:7,d} requests "
        f"read, {one.unread_s * 1000:6.1f} ms not read  {'; '.join(wrong(one))}",
        flush=True,
    )
    return one


def _interrupt(folder: Path, times: int, random: Random) -> list[Interrupted]:
    if not times:
        return []
    folder.mkdir()
    done = loadgen("compare", "--users", "2", "--rounds", "2", "--block", "200ms", "--out", str(folder / "old"))
    assert done.returncode == 0, done.stderr
    begun_s = time.monotonic()
    loadgen("report", str(folder / "old"))
    takes_s = time.monotonic() - begun_s + 0.5  # the start of a process
    return [kill_in_report(folder / f"{number}", folder / "old", random, takes_s) for number in range(times)]


def _sum_up(victim: str, killed: list[Killed]) -> None:
    if killed:
        unread = sorted(one.unread_s * 1000 for one in killed)
        bad = sum(bool(wrong(one)) for one in killed)
        print(
            f"{victim}: killed {len(killed)} times, {bad} wrong; not read: median {unread[len(unread) // 2]:.1f} ms, "
            f"at most {unread[-1]:.1f} ms"
        )


if __name__ == "__main__":
    sys.exit(main())
