"""The options of `loadgen probe` alone."""

from __future__ import annotations

from loadgen.model.option import COMPARE, PROBE
from loadgen.model.options import OPTIONS, options_of
from loadgen.model.probe_options import PROBE_OPTIONS


def test_they_are_options_of_probe_and_of_no_other_command() -> None:
    assert {one.commands for one in PROBE_OPTIONS} == {(PROBE,)}
    assert all(one in OPTIONS for one in PROBE_OPTIONS)
    names = {one.name for one in PROBE_OPTIONS}
    assert names <= {one.name for one in options_of(PROBE)}
    assert not names & {one.name for one in options_of(COMPARE)}
