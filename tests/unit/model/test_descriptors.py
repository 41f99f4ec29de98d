"""What each process of a run must be able to open."""

from __future__ import annotations

import pytest

from loadgen.model.descriptors import MAX_PENDING_CLOSES, OWN, needed, pending_closes, wanted


@pytest.mark.parametrize(
    ("peak", "processes", "embedded", "more"),
    [(3, 1, False, 16 + 3), (3, 1, True, 16 + 3), (5, 4, True, 16 + 20), (5, 4, False, 16 + 5), (1, 100, False, 400)],
)
def test_the_process_that_needs_most_counts(peak: int, processes: int, embedded: bool, more: int) -> None:
    assert needed(peak, processes, embedded) == OWN + more


def test_what_is_left_may_wait_for_its_close() -> None:
    assert pending_closes(wanted(7), 7) == MAX_PENDING_CLOSES
    assert pending_closes(1 << 20, 7) == MAX_PENDING_CLOSES
    assert pending_closes(needed(7, 1, embedded=False), 7) == 16
    assert pending_closes(needed(7, 1, embedded=False) + 5, 7) == 21
    assert pending_closes(10, 7) == 16
