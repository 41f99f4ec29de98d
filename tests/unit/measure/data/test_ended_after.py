"""After how many requests a server ended connections: by the way it did, over blocks, workers and slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from loadgen.measure.data.ended_after import RequestsSoFar, widest
from loadgen.model.errors import ErrorKind
from loadgen.model.records import EXCHANGE_FIELDS, Ending
from tests.support.synthetic import MS, Exchange, Link, RunWriter, plan_json


def link(answered: int, ending: int, *, lost: int = 0) -> Link:
    """A connection with some answered requests, and some that were not."""
    outcomes = [200] * answered + [-ErrorKind.STALE_CONNECTION] * lost
    return Link([Exchange(at * MS, outcome=outcome) for at, outcome in enumerate(outcomes)], ending=ending)


def test_by_ending_and_only_what_the_server_ended(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 2))
    writer.block(
        "persistent", 0,
        [link(10, Ending.SERVER_ANNOUNCED), link(10, Ending.SERVER_ANNOUNCED), link(3, Ending.CLIENT_SILENT)],
    )  # fmt: skip
    writer.block(
        "persistent", 1, [link(4, Ending.SERVER_STALE, lost=1), link(0, Ending.SERVER_STALE, lost=1), link(2, 4)]
    )
    summary = writer.summary()["policies"]["persistent"]["connections"]
    assert summary["ended_after"] == {
        "server_announced": {"min": 2, "max": 10},
        "server_stale": {"min": 4, "max": 4},
    }


def test_the_widest_range_of_several() -> None:
    assert widest([]) == {}
    parts: Any = [{"a": {"min": 3, "max": 4}}, {"a": {"min": 1, "max": 3}, "b": {"min": 7, "max": 7}}, {}]
    assert widest(parts) == {"a": {"min": 1, "max": 4}, "b": {"min": 7, "max": 7}}


def test_what_open_connections_have_carried_so_far() -> None:
    rows = np.zeros(4, [(name, np.int64) for name in EXCHANGE_FIELDS])
    rows["connection"], rows["request_index"], rows["outcome"] = [5, 7, 7, 9], [0, 3, 4, 1], [200, 200, -1, 200]
    carried = RequestsSoFar(np.array([3, 7, 8]), np.array([6, 2, 1])).after(rows, np.array([3, 5, 7]))
    assert carried.numbers.tolist() == [3, 5, 7]
    assert carried.counts.tolist() == [6, 1, 4]
