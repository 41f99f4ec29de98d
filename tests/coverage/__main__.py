"""`python -m tests.coverage`: how often intervals hold the truth, claims are wrong and checks fail, in simulated runs.

Exits with 1 where a share lies outside what is promised, beyond what chance allows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from tests.coverage import tables
from tests.coverage.check_rates import SCENARIOS as OF_CHECKS
from tests.coverage.check_rates import failures
from tests.coverage.claims import claim
from tests.coverage.diffs import diff_pairs
from tests.coverage.early_ends import end_early
from tests.coverage.intervals import cover
from tests.coverage.scenarios import SCENARIOS, Scenario

_ROUNDS = (5, 8, 20)
_CLAIM_ROUNDS = (5, 20)
_CANDIDATES = (1, 4)
_DIFFS, _DIFF_ROUNDS = "diffs", (10, 20)

Futures = list[Future[Any]]
Part = tuple[str, Callable[[Any], tables.Written], Futures]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.coverage", description=__doc__)
    parser.add_argument("--experiments", type=int, default=1_000, help="of each scenario and number of rounds")
    parser.add_argument("--only", default="", help="scenarios whose names have this in them")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begun = time.monotonic()
    scenarios = [one for one in SCENARIOS if options.only in one.name]
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        parts = _submit(pool, scenarios, options.experiments, options.only)
        failed = [name for part in parts for name in _print(*part)]
    print(f"\n{time.monotonic() - begun:.0f} s. Outside of what is promised: {', '.join(failed) or 'nothing'}")
    return 1 if failed else 0


def _submit(pool: Executor, scenarios: Sequence[Scenario], experiments: int, only: str) -> list[Part]:
    covers = [pool.submit(cover, one, rounds, experiments) for one in scenarios for rounds in _ROUNDS]
    claims = [
        pool.submit(claim, one.name, one.machine, candidates, rounds, experiments)
        for one in SCENARIOS[1::2]
        if only in one.name
        for candidates in _CANDIDATES
        for rounds in _CLAIM_ROUNDS
    ]
    ends = [pool.submit(end_early, one, aim, experiments) for one in scenarios for aim in one.aims]
    checks = [pool.submit(failures, one, experiments) for one in OF_CHECKS if only in one.name]
    pairs = max(1, experiments // 4)
    diffs = [pool.submit(diff_pairs, rounds, pairs) for rounds in _DIFF_ROUNDS if only in _DIFFS]
    return [
        (tables.COVERAGE, tables.coverage, covers),
        (tables.CLAIMS, tables.claims, claims),
        (tables.EARLY_ENDS, tables.early_ends, ends),
        (tables.DIFFS, tables.diffs, diffs),
        (tables.CHECKS, tables.checks, checks),
    ]


def _print(title: str, write: Callable[[Any], tables.Written], futures: Futures) -> Iterator[str]:
    """Print each result as soon as it is there, in order; yields what failed."""
    print(f"\n{title}\n", flush=True)
    for future in futures:
        text, failed = write(future.result())
        print(text, flush=True)
        yield from failed


if __name__ == "__main__":
    sys.exit(main())
