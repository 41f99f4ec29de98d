"""Counts of windows and warm-ups, from rows that are made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.measure.data.block_counts import count_answered, count_warmup, present, request_ends
from loadgen.measure.data.row_assignment import assign_rows
from loadgen.measure.data.rows import columns_of
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, CONNECTION_FIELDS, EXCHANGE_FIELDS, HANDSHAKE

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


DURATION = st.just(ABSENT) | st.integers(0, 10**12)
PARTS = ("queue", "send", "wait", "receive")
HANDSHAKE_PARTS = tuple(phase.value for phase in HANDSHAKE)


@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(PARTS, DURATION) | {"own": st.integers(0, 10**12)}), min_size=1),
    st.fixed_dictionaries(dict.fromkeys(HANDSHAKE_PARTS, DURATION)),
)
def test_phases_and_own_work_tile_each_request(requests: list[dict[str, int]], handshake: dict[str, int]) -> None:
    """What is reported of a request is all of its time: latency and own work lead from its beginning to its end."""
    scheduled = [10**15 + index for index in range(len(requests))]
    rows = exchanges(
        *({"scheduled": at, "outcome": 200} | one for at, one in zip(scheduled, requests, strict=True)),
    )
    link = connection(**handshake)
    blocks: Any = [{"index": 0, "round": 0, "policy": "persistent", "first_connection": 0, "window_begun_ns": 0}]
    ends = request_ends(rows, assign_rows(blocks, rows, link), link)
    samples = columns_of(blocks, rows, link, ("persistent",))
    taken = samples.latency_ns() + samples.columns["own"]
    assert (samples.columns["scheduled"] + taken).tolist() == ends.tolist()


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
    assert blocks == [{"warmup_outlasted": outlasted, "unserved": outlasted, "warmup_errors": errors}]
