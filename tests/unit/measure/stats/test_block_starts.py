"""How close together workers began: the summary of it, and its warning."""

from __future__ import annotations

from typing import Any

from loadgen.measure.stats.block_starts import block_starts
from loadgen.measure.warnings.uneven_starts import start_warnings
from loadgen.model.block_facts import BlockFacts

MS = 1_000_000


def block(spread_ms: int, workers: int = 3, **facts: Any) -> BlockFacts:
    found: Any = {"load_spread_ns": spread_ms * MS, "workers": workers, "clock_error_ns": 0, **facts}
    return found


def test_blocks_of_one_worker_say_nothing() -> None:
    lone: Any = {"index": 0}
    assert block_starts([lone]) is None
    assert start_warnings(None) == []


def test_median_and_longest_of_the_blocks_that_several_ran() -> None:
    lone: Any = {"index": 0}
    assert block_starts([lone, block(2), block(50), block(7, workers=4, clock_error_ns=9)]) == {
        "workers": 4, "blocks": 3, "spread_p50_ns": 7 * MS, "spread_max_ns": 50 * MS, "uneven_blocks": 0,
        "clock_error_ns": 9,
    }  # fmt: skip


def test_a_clock_of_which_nothing_is_known_is_no_clock_without_error() -> None:
    unknown = block(2)
    del unknown["clock_error_ns"]
    found = block_starts([block(2), unknown])
    assert found is not None
    assert found["clock_error_ns"] is None


def test_more_than_50_ms_are_a_warning() -> None:
    assert start_warnings(block_starts([block(50)])) == []
    (warning,) = start_warnings(block_starts([block(2), block(51), block(80)]))
    assert warning == {
        "code": "uneven_starts",
        "message": "in 2 of 3 blocks the last of up to 3 workers began more than 50.0 ms after the first, at most "
        "80.0 ms: until then a part of the load was missing",
    }
