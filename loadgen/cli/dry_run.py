"""The blocks of a plan, and how long they take. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.cli.run_length import LONGEST_NS
from loadgen.cli.size_forecast import planned_requests, size_line
from loadgen.drive import schedule
from loadgen.model.load import share_of
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_MS, NS_PER_S, count, duration_text, percent_text

_BETWEEN_BLOCKS_NS = 30 * NS_PER_MS  # measured: connections end, the kernel's counters are read, rows are noted
_THEN = "and a few seconds for the report"
_PILOT_LINE = (
    "pilot: up to 3 s in which users and think time are chosen; there is none where --users, --rate or --think is given"
)
_AUDIT_LINE = "audit: up to 20 s in which the connection doctor looks at the target (--probe)"


def dry_run_lines(plan: Plan, *, pilots: bool, audits: bool) -> Iterator[str]:
    """What would run, in its order, how long it takes, and the room that it needs where that is much.

    pilots: a pilot would choose the load. audits: the connection doctor would look at the target first.
    """
    if audits:
        yield _AUDIT_LINE
    if pilots:
        yield _PILOT_LINE
    for block in schedule.blocks(plan):
        yield f"{block.index:>5}  round {block.round + 1}  {block.cell.name}"
    yield estimate_line(plan)
    if size := size_line(planned_requests(plan) or 0, plan):
        yield size


def estimate_line(plan: Plan, done: int = 0) -> str:
    """`2 policies × 5 rounds = 10 blocks of 1s: about 10 s and …`, in a sweep cells; or how much of that is left."""
    cells, rounds, requests = len(plan.cells), plan.load.rounds, plan.load.requests
    total = cells * rounds
    about = f": about {_time(plan, total - done)} {_THEN}"
    if done:
        to_go = about if requests is None else ""
        return f"{done:,} of {count(total, 'block')} are done, {total - done:,} to go{to_go}"
    what = count(cells, "cell") if plan.axes else count(len(plan.policies), "policy")
    if plan.targets:
        what += f" × {count(len(plan.targets), 'target')}"
    if requests is not None:
        return _estimate_of_requests(plan, requests, what)
    of = duration_text(plan.load.block_ns)
    if plan.processes > 1:
        of += f" in {plan.processes} processes"
    if plan.until_precision is not None:
        return _estimate_of_precision(plan, what, of)
    return f"{what} × {count(rounds, 'round')} = {count(total, 'block')} of {of}{about}"


def _estimate_of_requests(plan: Plan, requests: int, what: str) -> str:
    load, total = plan.load, len(plan.cells) * plan.load.rounds
    low, high = (share_of(requests, number, load.rounds) for number in (load.rounds - 1, 0))
    each = count(high, "request") if low == high else f"{low:,} or {high:,} requests"
    if plan.processes > 1:
        each += f" in {plan.processes} processes"
    if load.block_ns < LONGEST_NS:
        each += f", within {duration_text(load.block_ns)} each"
    between = _rough(total * (load.warmup_ns + _BETWEEN_BLOCKS_NS) / NS_PER_S)
    return (
        f"{what} × {count(requests, 'request')} in {count(load.rounds, 'round')} = {count(total, 'block')} of {each}: "
        f"about {between} of warm-up, what the requests take, {_THEN}"
    )


def _estimate_of_precision(plan: Plan, what: str, of: str) -> str:
    aim = percent_text(plan.until_precision or 0)
    rounds = sorted({plan.min_rounds, plan.max_rounds})
    numbers = " to ".join(f"{number:,}" for number in rounds)
    times = " to ".join(dict.fromkeys(_time(plan, number * len(plan.cells)) for number in rounds))
    return (
        f"{what} × {numbers} rounds of blocks of {of}, until each ratio is known within ±{aim}: about {times} {_THEN}"
    )


def _time(plan: Plan, blocks: int) -> str:
    return _rough(blocks * (plan.load.block_ns + _BETWEEN_BLOCKS_NS) / NS_PER_S)


def _rough(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
