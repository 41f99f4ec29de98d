"""How long a run is: `--duration`, `--rounds` and `--block` as rounds of blocks. Pure; knows no plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from loadgen.model import options as table
from loadgen.model.exceptions import PlanError
from loadgen.model.length_options import MAX_ROUNDS
from loadgen.model.load import MAX_BLOCKS
from loadgen.model.options import option_named
from loadgen.model.units import NS_PER_MS, NS_PER_S, count, duration_text

LENGTH = ("duration", "rounds", "block")
"""Any two of these options decide the third."""
LONGEST_NS = 3600 * NS_PER_S
"""How long a block of `--requests` may take where neither `--block` nor `--duration` says so."""


class RunLength(NamedTuple):
    """Every cell runs one block of this length (ns) a round; with `--requests` of this length at most."""

    rounds: int
    block_ns: int


def length_of_requests(values: Mapping[str, Any], cells: int, command: str) -> RunLength:
    """The same where a number of requests is asked for: fewer rounds if there are not enough requests for each one."""
    given = dict(values)
    if given["rounds"] is None and (given["duration"] is None or given["block"] is None):
        fitting = given["requests"] // (given.get("processes") or 1)
        given["rounds"] = max(1, min(fitting, table.default("rounds")))
    if given["duration"] is None and given["block"] is None:
        given["block"] = LONGEST_NS
    return run_length(given, cells, command)


def run_length(values: Mapping[str, Any], cells: int, command: str) -> RunLength:
    """The length of a run of `cells` cells; values: those of the options, None where one is unset. Raises PlanError."""
    duration_ns, rounds, block_ns = (values[name] for name in LENGTH)
    default_ns: int = option_named("block").of(command).plan_default()
    if duration_ns is None:
        default_rounds: int = table.default("rounds")
        return RunLength(default_rounds if rounds is None else rounds, default_ns if block_ns is None else block_ns)
    if rounds is not None and block_ns is not None:
        raise PlanError(
            "--duration contradicts --rounds with --block, which decide how long the run is; give two of them"
        )
    option_named("duration").check_range(duration_ns)
    if rounds is not None:
        option_named("rounds").check_range(rounds)
        return _of_rounds(duration_ns, rounds, cells)
    if block_ns is None:
        block_ns = max(_min_block_ns(), min(default_ns, _share_ns(duration_ns, cells * table.default("rounds"))))
    option_named("block").check_range(block_ns)
    return _of_blocks(duration_ns, block_ns, cells)


def _of_rounds(duration_ns: int, rounds: int, cells: int) -> RunLength:
    block_ns = _share_ns(duration_ns, cells * rounds)
    if block_ns < _min_block_ns():
        raise _too_short(duration_ns, rounds, cells, _min_block_ns())
    return RunLength(rounds, block_ns)


def _of_blocks(duration_ns: int, block_ns: int, cells: int) -> RunLength:
    rounds = duration_ns // (cells * block_ns)
    if not rounds:
        raise _too_short(duration_ns, 1, cells, block_ns)
    most = min(MAX_ROUNDS, MAX_BLOCKS // cells)
    if rounds > most:
        raise PlanError(
            f"--duration {duration_text(duration_ns)} is {rounds:,} rounds of {_blocks(cells, block_ns)}; at most "
            f"{most:,} rounds are possible, so give a longer --block"
        )
    return RunLength(rounds, block_ns)


def _too_short(duration_ns: int, rounds: int, cells: int, block_ns: int) -> PlanError:
    return PlanError(
        f"--duration {duration_text(duration_ns)} is too short for {count(rounds, 'round')} of "
        f"{_blocks(cells, block_ns)}; at least {duration_text(rounds * cells * block_ns)} is needed"
    )


def _blocks(cells: int, block_ns: int) -> str:
    return f"{count(cells, 'block')} of {duration_text(block_ns)}"


def _share_ns(duration_ns: int, blocks: int) -> int:
    """An equal share of the time, in whole milliseconds."""
    return duration_ns // blocks // NS_PER_MS * NS_PER_MS


def _min_block_ns() -> int:
    bounds = option_named("block").type.bounds
    assert bounds is not None
    return bounds.minimum
