"""Several tests as one check, and the registry of checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.checks import CHECKS
from loadgen.measure.checks.check import CheckOutcome, failed, joined, judged
from tests.support.synthetic import MS, Exchange, Link, RunWriter, full_run, plan_json


def result(value: float | None, limit: float | None = 0.05, p_value: float | None = None, **more: Any) -> Any:
    return {"subject": "a", "statistic": "s", "value": value, "limit": limit, "p_value": p_value, "passed": None} | more


@pytest.mark.parametrize(
    ("one", "passed"),
    [
        (result(0.5, p_value=0.001), False),
        (result(0.5, p_value=0.02), True),  # not certain
        (result(0.04, p_value=0.001), True),  # too small to matter
        (result(0.5), False),  # a limit alone
        (result(0.04), True),
        (result(None), None),
    ],
)
def test_a_result_fails_if_it_is_certain_and_matters(one: Any, passed: bool | None) -> None:
    assert [found["passed"] for found in judged([one])] == [passed]


def test_more_tests_make_each_less_certain() -> None:
    sound = [result(0.01, p_value=0.9) for _ in range(9)]
    found = judged([result(0.5, p_value=0.002), *sound])
    assert found[0]["p_value"] == pytest.approx(0.02)
    assert CheckOutcome("", found).passed is True


@pytest.mark.parametrize(
    ("passed", "expected"), [([], None), ([None], None), ([True, None], True), ([True, False, None], False)]
)
def test_a_check_fails_if_one_result_does(passed: list[bool | None], expected: bool | None) -> None:
    assert CheckOutcome("", [result(1.0, passed=one) for one in passed]).passed is expected


def test_the_worst_comes_first() -> None:
    found = [result(value, passed=value < 0.3) for value in (0.1, 0.4, 0.6)]
    assert [one["value"] for one in failed(found)] == [0.6, 0.4]


def test_many_are_named_in_part() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(list("abcde")) == "a, b, c and 2 more"


def test_each_check_has_a_name_and_a_question_of_its_own() -> None:
    assert len({one.name for one in CHECKS}) == len({one.question for one in CHECKS}) == len(CHECKS)
    assert all(one.question.endswith("?") and one.action for one in CHECKS)
    codes = [one.code for one in CHECKS if one.code is not None]
    assert len(set(codes)) == len(codes)


def test_a_run_has_those_that_apply(tmp_path: Path) -> None:
    """A closed loop without think time was asked for no times; these blocks always ran in one order."""
    found = full_run(tmp_path / "run", rounds=6).summary()
    assert [one["name"] for one in found["checks"]] == ["generator_share", "stationarity", "order", "dependence"]
    assert {one["name"]: one["passed"] for one in found["checks"]} == {
        "generator_share": True, "stationarity": True, "order": None, "dependence": None,
    }  # fmt: skip
    assert all(one["action"] == "" for one in found["checks"])


def test_a_check_that_fails_is_a_warning_and_a_clause_of_the_verdict(tmp_path: Path) -> None:
    """Every second arrival began 3 ms late, at intervals of 4 ms."""
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 5, rate_rps=250.0))
    for number in range(5):
        exchanges = [Exchange(at * 4 * MS, late=at % 2 * 3 * MS, queue=at % 2 * 3 * MS) for at in range(200)]
        writer.block("persistent", number, [Link(exchanges)], due=200)
    found = writer.summary()
    (warning,) = (one for one in found["warnings"] if one["code"] == "arrivals_not_as_asked")
    assert warning["message"] == (
        "100% (persistent) of the arrivals came at other intervals than asked, and 50% (persistent) of the arrivals "
        "began late"
    )
    arrivals = found["checks"][0]
    assert (arrivals["passed"], arrivals["error_rate"]) == (False, 0.01)
    assert f"; {warning['message']}: {arrivals['action']}" in found["verdict"]


def test_a_run_without_an_answer_has_none_that_can_tell(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json())
    assert all(one["passed"] is None for one in writer.summary()["checks"])
