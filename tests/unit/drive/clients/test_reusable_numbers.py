"""The lowest free number goes first."""

from __future__ import annotations

from loadgen.drive.clients.reusable_numbers import ReusableNumbers


def test_the_lowest_free_number_is_taken_next() -> None:
    numbers = ReusableNumbers()
    assert [numbers.take() for _ in range(3)] == [0, 1, 2]
    for number in (2, 0):
        numbers.give_back(number)
    assert [numbers.take() for _ in range(3)] == [0, 2, 3]
