"""What to write in place of a number that is shortened as in other tools."""

from __future__ import annotations

import pytest

from loadgen.model.number_shorthand import written_out


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10k", 10_000),
        ("1.5M", 1_500_000),
        ("1e6", 1_000_000),
        ("2.5e3", 2_500),
        ("1_000", 1_000),
        ("10,000", 10_000),
        ("1,234,567", 1_234_567),
        ("100/s", 100),
        (" 3k ", 3_000),
    ],
)
def test_the_whole_number_is_written(text: str, number: int) -> None:
    assert written_out(text) == f"; write {number}"


@pytest.mark.parametrize(
    "text", ["", "ten", "10K5", "1.5", "1.2345k", "-1k", "10,00", "1,0000", "10 000", "k", "1e", "0x10"]
)
def test_nothing_is_proposed_for_what_is_no_such_number(text: str) -> None:
    assert written_out(text) == ""
