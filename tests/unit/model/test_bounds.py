"""The range of a number, and what a complaint about it says."""

from __future__ import annotations

import pytest

from loadgen.model.bounds import Bounds


@pytest.mark.parametrize("value", [1, 5, 1_000_000])
def test_the_ends_of_a_range_belong_to_it(value: int) -> None:
    assert Bounds(1, 1_000_000).complaint(value) == ""


@pytest.mark.parametrize(
    ("bounds", "value", "complaint"),
    [
        (Bounds(0, 9), -1, "is -1; it can't be negative"),
        (Bounds(2, 9), 1, "is 1; at least 2 is needed"),
        (Bounds(1, 1_000_000), 2_000_000, "is 2,000,000; it must lie between 1 and 1,000,000"),
        (Bounds(1, 9), 10**30, "is 1,000,000,000,000,000,00…; it must lie between 1 and 9"),
    ],
)
def test_a_complaint_names_value_and_range(bounds: Bounds, value: int, complaint: str) -> None:
    assert bounds.complaint(value) == complaint


def test_a_value_is_written_as_people_write_it() -> None:
    assert Bounds(10, 20).complaint(5, "{} ms".format) == "is 5 ms; at least 10 ms is needed"
