"""How the command line of the benchmark names cases and their parts."""

from __future__ import annotations

import pytest

from tests.bench.case import Case, chosen


def nothing(_bench: object) -> None:
    pass


CASES = {
    "cpu": Case(nothing, ("persistent", "close", "wrk")),
    "many": Case(nothing),
    "checkout": Case(nothing, ("close",), on_demand=True),
}


def test_all_but_those_on_demand_run_where_none_is_named() -> None:
    assert chosen([], CASES) == (None, [("cpu", ()), ("many", ())])


def test_words_after_a_case_are_its_parts() -> None:
    words = ["turns=4", "cpu", "close", "wrk", "many", "checkout"]
    assert chosen(words, CASES) == (4, [("cpu", ("close", "wrk")), ("many", ()), ("checkout", ())])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["cups"], "bench: 'cups' is no case; there are: cpu, many, checkout"),
        (["cpu", "open"], "bench: 'open' is no part of the case 'cpu'; there are: persistent, close, wrk"),
        (["many", "close"], "bench: 'close' is no part of the case 'many'; there are: none"),
        (["turns=0"], "bench: 'turns=0' must be turns=N with N of at least 1"),
        (["turns=x"], "bench: 'turns=x' must be turns=N with N of at least 1"),
    ],
)
def test_other_words_are_refused_in_one_line(words: list[str], line: str) -> None:
    with pytest.raises(SystemExit) as refused:
        chosen(words, CASES)
    assert refused.value.code == line
