"""A server that refuses a long body before it has come: its answer is read, at any size, in clear and in TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile.behaviour import Row
from tests.support.hostile.check import check_right, run_row
from tests.support.hostile.endings import REFUSED_UPLOADS
from tests.support.runs import check_account


@pytest.mark.parametrize("row", REFUSED_UPLOADS, ids=str)
def test_the_answer_is_read_each_time(tmp_path: Path, row: Row) -> None:
    run, account = run_row(row, tmp_path)
    check_right(row, run)
    check_account(run.summary)
    assert run.opened == account.accepted
