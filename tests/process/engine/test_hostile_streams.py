"""A hostile server under several streams in flight: nothing is lost, what was not processed is repeated where asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import http2_streams
from tests.support.hostile.behaviour import Row
from tests.support.hostile.check import check_row, check_table

_UNPROCESSED = ("http2_goaway", "http2_refused_stream")


@pytest.mark.parametrize("row", http2_streams.ROWS, ids=str)
def test_the_outcome_is_right_and_the_accounts_agree(tmp_path: Path, row: Row) -> None:
    run = check_row(row, tmp_path, http2_streams.DEPTH)
    for block in run.blocks:
        failed = sum(block.results[kind] for kind in _UNPROCESSED)
        retried = run.summary["policies"][block.policy]["connections"]["retried"]
        repeats = "--retry-stale" in row.options
        assert (retried > 0) == (repeats and failed > 0)
        assert retried <= failed


def test_every_row_has_a_name_of_its_own_and_a_section() -> None:
    check_table(http2_streams.ROWS)
