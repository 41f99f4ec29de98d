"""The options that say how long a run is stand in the one table, and a plan keeps what they decide."""

from __future__ import annotations

from loadgen.model.length_options import LENGTH_OPTIONS
from loadgen.model.option import COMPARE, SWEEP
from loadgen.model.options import OPTIONS, options_of


def test_they_are_rows_of_the_table_for_each_command_that_makes_a_load() -> None:
    assert all(one in OPTIONS for one in LENGTH_OPTIONS)
    for command in (COMPARE, SWEEP):
        assert {"rounds", "block", "duration", "requests", "warmup"} <= {option.name for option in options_of(command)}


def test_what_they_decide_is_in_the_plan() -> None:
    # A duration is in it as rounds of blocks.
    assert [option.name for option in LENGTH_OPTIONS if not option.plan_field] == ["duration"]
