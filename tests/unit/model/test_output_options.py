"""The options about what is shown and saved."""

from __future__ import annotations

from loadgen.model.option import OptionGroup
from loadgen.model.options import OPTIONS
from loadgen.model.output_options import OUTPUT_OPTIONS


def test_they_are_in_the_group_of_output_and_in_the_table_of_all() -> None:
    assert {one.group for one in OUTPUT_OPTIONS} == {OptionGroup.OUTPUT}
    assert all(one in OPTIONS for one in OUTPUT_OPTIONS)


def test_none_of_them_is_a_part_of_the_plan() -> None:
    assert [one.name for one in OUTPUT_OPTIONS if one.plan_field] == []
