"""Whether Locust's run time is kept on a busy machine: how long runs of 8, 15, 20 and 60 s loaded their target."""

from __future__ import annotations

from tests.bench.case import Bench
from tests.support.run_times import SLACK_S, RunTime, busy_machine, measure, processors

SECONDS = (8, 15, 20, 60)
PARTS = tuple(f"{seconds}s" for seconds in SECONDS)
_PROGRAMS_PER_PROCESSOR = 2
_BLOCKS = ("--block", "700ms")


def run_times(bench: Bench) -> None:
    programs = _PROGRAMS_PER_PROCESSOR * processors()
    print(
        f"locust -f locustfiles/compare.py --headless -u 4 -r 4 -t T --block 700ms beside {programs} programs that "
        f"compute, {bench.turns} runs of each; right is within {SLACK_S:g} s and one round\n"
    )
    print("| run time | loaded, each run (s) | a round (s) | whole rounds | cut blocks counted | right |")
    print("|---:|---|---|---|---:|---:|")
    for seconds, part in zip(SECONDS, PARTS, strict=True):
        if bench.wants(part):
            found = []
            for turn in range(bench.turns):
                with busy_machine(programs, seconds + 120):
                    found.append(measure(bench.folder / f"{part}-{turn}", seconds, block=_BLOCKS))
            print(_row(seconds, found), flush=True)


def _row(seconds: int, found: list[RunTime]) -> str:
    loaded = ", ".join(f"{one.loaded_s:.1f}" for one in found)
    rounds_s, rounds = [one.round_s for one in found], [one.rounds for one in found]
    return (
        f"| {seconds} s | {loaded} | {min(rounds_s):.2f} to {max(rounds_s):.2f} | {min(rounds)} to {max(rounds)} | "
        f"{sum(one.cut for one in found)} | {sum(one.is_right for one in found)} of {len(found)} |"
    )
