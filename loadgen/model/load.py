"""The load of each block as one value, the same under every policy. Makes no load."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.arrivals import parse_arrivals
from loadgen.model.cell import check_rate
from loadgen.model.exceptions import PlanError
from loadgen.model.options import check_ranges, default
from loadgen.model.units import NS_PER_S, count, duration_text, format_duration

MAX_BLOCKS = 100_000
"""Of a run: each leaves a record, and the order of all of them can be printed."""
_MAX_RUN_NS = 365 * 24 * 3600 * NS_PER_S
# Fewer that happen to resemble each other would end a run too often: measure/stats/sequential.py.
_MIN_PRECISE_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Load:
    """A closed loop of `users`; with a rate, an open loop of arrivals, in which users play no part."""

    users: int = default("users")
    rounds: int = default("rounds")
    block_ns: int = default("block")
    warmup_ns: int = default("warmup")
    """The first part of each block, which is not counted."""
    think_ns: int = default("think")
    """The pause of a user between two requests."""
    timeout_ns: int = default("timeout")
    """Of a request, from when it has a connection."""
    rate_rps: float = default("rate")
    """Arrivals per second; 0 in a closed loop."""
    arrivals: str = default("arrivals")
    """At equal distances or as a Poisson process; of one worker among several, its share."""
    max_connections: int = default("max_connections")
    """The most connections at the same time in an open loop."""
    requests: int | None = default("requests")
    """How many requests of each cell are measured in all; None: as many as there are in the blocks' time."""

    def __post_init__(self) -> None:
        check_ranges(self, "load")
        if not 0 <= self.warmup_ns < self.block_ns:
            raise PlanError(
                f"--warmup is {format_duration(self.warmup_ns)}, a part of each block of "
                f"{format_duration(self.block_ns)}; it must be shorter"
            )
        if self.rate_rps:
            check_rate(self.rate_rps)
        parse_arrivals(self.arrivals)
        if self.requests is not None and self.requests < self.rounds:
            raise PlanError(
                f"--requests {self.requests:,} can't be spread over --rounds {self.rounds:,}; each round needs one"
            )

    @property
    def longer_blocks(self) -> str:
        """What makes blocks longer: the end of a piece of advice."""
        return "a longer --block" if self.requests is None else "more --requests"

    def check_length(self, cells: int) -> None:
        """Raise PlanError where a run of this number of cells has too many blocks, or takes too long."""
        blocks = cells * self.rounds
        if blocks > MAX_BLOCKS:
            raise PlanError(
                f"the plan has {blocks:,} blocks; at most {MAX_BLOCKS:,} are possible, so give fewer --rounds"
            )
        if self.requests is None and blocks * self.block_ns > _MAX_RUN_NS:
            days = blocks * self.block_ns // (24 * 3600 * NS_PER_S)
            raise PlanError(f"the plan takes {days:,} days; at most a year is possible")

    def check_processes(self, processes: int) -> None:
        """Raise PlanError where the load can't be spread over this number of processes."""
        if self.rate_rps:
            shared, option = self.max_connections, "--max-connections"
            check_rate(self.rate_rps / processes)
        else:
            shared, option = self.users, "--users"
        if shared < processes:
            raise PlanError(f"{option} {shared} can't be spread over --processes {processes}; each needs one")
        blocks = self.rounds * processes
        if self.requests is not None and self.requests < blocks:
            raise PlanError(
                f"--requests {self.requests:,} can't be spread over --processes {processes} in "
                f"{count(self.rounds, 'round')}; at least {blocks:,} are needed"
            )

    def check_precision(self, cells: int, max_time_ns: int) -> None:
        """Raise PlanError where a run of this number of cells can't go on until its ratios are precise."""
        if cells < 2:
            raise PlanError("--until-precision is for a ratio, and one policy alone has none; name two in --policies")
        if self.rounds < _MIN_PRECISE_ROUNDS:
            raise PlanError(
                f"--rounds is {self.rounds}; with --until-precision at least {_MIN_PRECISE_ROUNDS} are needed, as "
                "fewer that happen to resemble each other would end the run"
            )
        needed_ns = _MIN_PRECISE_ROUNDS * cells * self.block_ns
        if max_time_ns < needed_ns:
            raise PlanError(
                f"--max-time {duration_text(max_time_ns)} is too short for {_MIN_PRECISE_ROUNDS} rounds of "
                f"{count(cells, 'block')} of {duration_text(self.block_ns)}, and fewer show no "
                f"precision; at least {duration_text(needed_ns)} is needed, or a shorter --block"
            )

    def requests_of(self, round_number: int) -> int | None:
        """How many requests a block of this round measures; None where its time decides."""
        return None if self.requests is None else share_of(self.requests, round_number, self.rounds)


def share_of(total: int, number: int, parts: int) -> int:
    """The share with this number, from 0 on, of `total` things spread over `parts`; the first get what is left over."""
    return total // parts + (number < total % parts)


DEFAULT_LOAD = Load()
