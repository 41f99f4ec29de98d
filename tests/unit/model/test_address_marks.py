"""Numbers that stand for addresses in rows."""

from __future__ import annotations

from loadgen.model.address_marks import address_mark, names_of_marks


def test_a_mark_is_the_same_everywhere_and_fits_beside_the_flags() -> None:
    assert address_mark("127.0.0.1:80") == 97455161258746  # recorded runs have it
    names = [f"10.0.{number // 256}.{number % 256}:80" for number in range(2000)]
    marks = names_of_marks(names)
    assert list(marks.values()) == names
    assert all(0 < mark < 1 << 48 for mark in marks)
