"""When requests began, read from samples: what counts, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np

from loadgen.measure.checks.beginnings import Beginnings, beginnings, pauses_off_ns, step_over
from loadgen.measure.data.rows import Samples
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, COLUMNS


def samples(**columns: list[int]) -> Samples:
    size = len(columns["scheduled"])
    known: dict[str, Any] = {
        "round": [0] * size,
        "worker": [0] * size,
        "user": [0] * size,
        "policy": [0] * size,
    } | columns
    return Samples(("p",), {name: np.array(known.get(name, [ABSENT] * size)) for name in COLUMNS}, [])


def all_of(found: Samples) -> Beginnings:
    return beginnings(found, np.arange(len(found)))


def test_arrivals_are_sorted_by_round_and_worker() -> None:
    found = all_of(samples(scheduled=[50, 10, 30, 20], late=[1, 2, 3, 4], round=[0, 0, 1, 0], worker=[0, 1, 0, 0]))
    assert found.begun_ns.tolist() == [24, 51, 12, 33]
    assert found.late_ns.tolist() == [4, 1, 2, 3]
    assert found.round.tolist() == [0, 0, 0, 1]
    assert found.follows.tolist() == [True, False, False]


def test_one_that_was_sent_again_counts_once_and_one_of_unknown_lateness_not_at_all() -> None:
    found = all_of(samples(scheduled=[10, 10, 20], late=[1, 1, ABSENT]))
    assert found.begun_ns.tolist() == [11]
    assert found.follows.tolist() == []


def test_those_that_are_not_chosen_do_not_count() -> None:
    assert beginnings(samples(scheduled=[10, 20, 30], late=[1, 1, 1]), np.array([0, 2])).begun_ns.tolist() == [11, 31]


def test_no_sample_has_no_beginning() -> None:
    assert len(all_of(samples(scheduled=[])).late_ns) == 0


def test_a_pause_is_from_the_end_of_a_response_to_the_next_request() -> None:
    """Latency and own work are over before it: 100 + 30 + 5, then 1,000 of thinking, 7 too many."""
    found = pauses_off_ns(samples(scheduled=[100, 1_142], wait=[30, 30], own=[5, 5]), 1_000, 0)
    assert found.tolist() == [7]


def test_pauses_of_other_users_and_after_errors_do_not_count() -> None:
    found = pauses_off_ns(
        samples(
            scheduled=[0, 1_010, 5_000, 0],
            wait=[10, 10, 10, 10],
            user=[0, 0, 0, 1],
            error=[ABSENT, int(ErrorKind.TRUNCATED), ABSENT, ABSENT],
        ),
        1_000,
        0,
    )
    assert found.tolist() == [0]


def test_a_connection_that_goes_on_rests_for_its_gap() -> None:
    two = samples(scheduled=[0, 3_010, 4_020], wait=[10, 10, 10], nth_on_connection=[0, 1, 0])
    assert pauses_off_ns(two, 1_000, 3_000).tolist() == [0, 0]


def test_of_very_many_some_are_enough() -> None:
    assert [step_over(size) for size in (0, 300_000, 300_001, 3_000_000)] == [1, 1, 2, 10]
