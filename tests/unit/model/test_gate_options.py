"""The options of gates, in a file of their own."""

from __future__ import annotations

import pytest

from loadgen.model.gate_options import GATE_OPTIONS
from loadgen.model.option import COMPARE, PROBE, REPORT, SWEEP
from loadgen.model.options import options_of


@pytest.mark.parametrize("command", [COMPARE, SWEEP, REPORT, PROBE])
def test_each_command_that_has_a_result_takes_gates(command: str) -> None:
    names = {option.name for option in options_of(command)} & {option.name for option in GATE_OPTIONS}
    assert "fail_if" in names
    assert ("max_errors" in names) is (command != PROBE)
