"""Whether readings keep a gate's limit, and how that is said."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from loadgen.model.gate.expression import parse_gate
from loadgen.model.gate.judgement import Reading, judge
from loadgen.model.gate.resolution import FieldGroup, ResolvedGate, resolve
from loadgen.model.gate.result_fields import fields_of
from loadgen.model.gate_summary import GateSummary
from loadgen.model.typed_json import misfit


class _Figures(TypedDict):
    mean_ns: int
    ratio: float
    count: int
    word: str


def gate(expression: str) -> ResolvedGate:
    return resolve(parse_gate(expression), [FieldGroup("policies", fields_of(_Figures, {}), ("a", "b", "c"))])


@pytest.mark.parametrize(
    ("expression", "value", "interval", "message"),
    [
        ("mean_ms > 2", 3_000_000, (1_500_000, 4_000_000), "3.00 ms [1.50, 4.00]; the interval crosses the limit"),
        ("mean_ms > 2", 3_000_000, (2_500_000, 4_000_000), "3.00 ms [2.50, 4.00]"),
        ("ratio < 99%", 0.98765, None, "98.77%"),
        ("mean_ms > 50", 50_040_000, (49_000_000, 51_000_000), "50.04 ms [49.0, 51.0]; the interval crosses the limit"),
        ("mean_ms > 50", 50_000_001, None, "50.000001 ms"),
        ("ratio < 100%", 0.999998, None, "99.9998%"),
        ("ratio < 1", 0.999998, (0.9999, 0.9999995), "0.999998 [0.9999, 0.9999995]"),
        ("ratio > 1", 1.00004, (1.00001, 1.5), "1.00004 [1.00001, 1.5]"),
        ("count > 5", 1234567, None, "1,234,567"),
        ("word == up", "up", None, "up"),
    ],
)
def test_the_value_in_words(expression: str, value: Any, interval: Any, message: str) -> None:
    found = judge(gate(expression), [Reading("a", value, interval)])
    assert not found["passed"]
    assert found["message"].startswith(f"a: {message}")
    assert found["could_be_noise"] is (None if interval is None else "crosses" in message)
    assert misfit(found, GateSummary) == ""


def test_the_decisive_one_of_several() -> None:
    readings = [Reading("a", 7), Reading("b", 9), Reading("c", 4)]
    assert judge(gate("count > 5"), readings)["message"] == "b: 9; 1 more fails too"
    assert judge(gate("count < 8"), readings)["subject"] == "c"
    assert judge(gate("count == 4"), readings)["subject"] == "c"
    passed = judge(gate("count > 10"), readings)
    assert (passed["passed"], passed["subject"], passed["others_failed"]) == (True, "b", 0)


def test_without_a_value_it_fails() -> None:
    absent = judge(gate("count > 10"), [Reading("a", 7), Reading("b", None)])
    assert (absent["passed"], absent["subject"], absent["value"]) == (False, "b", None)
    nothing = judge(gate("count > 10"), [])
    assert (nothing["passed"], nothing["message"]) == (False, "there is no value that could be judged")
    assert judge(gate("count > 10"), [Reading("a", "ten")])["value"] is None
