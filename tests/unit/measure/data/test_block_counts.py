"""Counts of windows and warm-ups, from rows that are made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.block_counts import count_answered, count_warmup, present, request_ends
from loadgen.measure.data.row_assignment import assign_rows
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, CONNECTION_FIELDS, EXCHANGE_FIELDS

BEGUN, ENDED = np.array([100]), np.array([200])
HERE = np.array([0])


def exchanges(*rows: dict[str, int]) -> Any:
    """Rows in which what is not given is absent."""
    made = np.full(len(rows), ABSENT, [(name, "=i8") for name in EXCHANGE_FIELDS])
    for index, row in enumerate(rows):
        for name, value in ({"connection": 0, "request_index": index, "bytes_received": 0} | row).items():
            made[name][index] = value
    return made


def connection(**fields: int) -> Any:
    made = np.full(1, ABSENT, [(name, "=i8") for name in CONNECTION_FIELDS])
    for name, value in ({"connection": 0, "slot": 0, "opened": 0, "flags": 0, "ending": 0} | fields).items():
        made[name] = value
    return made


def test_absent_durations_count_as_nothing() -> None:
    assert present(np.array([ABSENT, 0, 7])).tolist() == [0, 0, 7]


def test_a_request_ends_after_its_phases_and_only_the_first_pays_the_handshake() -> None:
    rows = exchanges(
        {"scheduled": 1_000, "queue": 5, "send": 1, "wait": 20, "receive": 3},
        {"scheduled": 2_000, "send": 1, "wait": 20},
    )
    link = connection(dns=100, connect=200, tls=400)
    blocks: Any = [{"index": 0, "round": 0, "policy": "persistent", "first_connection": 0}]
    assert request_ends(rows, assign_rows(blocks, rows, link), link).tolist() == [1_729, 2_021]


@pytest.mark.parametrize(
    ("end", "outcome", "answered"),
    [(99, 200, 0), (100, 200, 1), (199, 500, 1), (200, 200, 0), (150, -ErrorKind.TRUNCATED, 0)],
)
def test_responses_within_the_window_count_whenever_their_requests_began(end: int, outcome: int, answered: int) -> None:
    blocks: Any = [{}]
    rows = exchanges({"scheduled": 10, "outcome": outcome})
    count_answered(blocks, rows, HERE, np.array([end]), BEGUN, ENDED)
    assert blocks == [{"answered": answered}]


@pytest.mark.parametrize(
    ("scheduled", "end", "outcome", "outlasted", "errors"),
    [
        (50, 90, 200, 0, 0),
        (50, 199, 200, 0, 0),
        (50, 200, 200, 1, 0),
        (50, 90, -ErrorKind.TRUNCATED, 0, 1),
        (50, 300, -ErrorKind.TRUNCATED, 1, 1),
        (50, 300, -ErrorKind.UNFINISHED, 0, 0),
        (250, 300, 200, 0, 0),
    ],
)
def test_what_the_window_does_not_show(scheduled: int, end: int, outcome: int, outlasted: int, errors: int) -> None:
    blocks: Any = [{}]
    rows = exchanges({"scheduled": scheduled, "outcome": outcome})
    count_warmup(blocks, rows, HERE, np.array([end]), ENDED)
    assert blocks == [{"warmup_outlasted": outlasted, "warmup_errors": errors}]
