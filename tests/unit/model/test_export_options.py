"""The options for exports stand in the one table, for the commands that end in a run."""

from __future__ import annotations

from loadgen.model.export_options import EXPORT_OPTIONS
from loadgen.model.option import COMPARE, REPORT, SWEEP
from loadgen.model.options import OPTIONS, options_of


def test_they_are_rows_of_the_table() -> None:
    assert all(one in OPTIONS for one in EXPORT_OPTIONS)
    for command in (COMPARE, SWEEP, REPORT):
        assert "export" in [option.name for option in options_of(command)]


def test_they_are_in_no_plan() -> None:
    """So that who runs a plan again, or a recorded run, overwrites nothing."""
    assert [option.plan_field for option in EXPORT_OPTIONS] == [""] * len(EXPORT_OPTIONS)
