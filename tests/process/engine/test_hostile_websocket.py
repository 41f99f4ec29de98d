"""A hostile server in WebSocket, row by row: the right outcome, what the client says of it, and equal accounts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.hostile import websocket
from tests.support.hostile.behaviour import Row
from tests.support.hostile.check import check_accounts, check_right, check_said, run_row


@pytest.mark.parametrize("row", websocket.ROWS, ids=str)
def test_the_outcome_is_right_and_the_accounts_agree(tmp_path: Path, row: Row) -> None:
    run, account = run_row(row, tmp_path)
    check_right(row, run)
    check_said(row, account)
    check_accounts(run, account)


def test_every_row_has_a_name_of_its_own_and_a_section() -> None:
    assert len({row.name for row in websocket.ROWS}) == len(websocket.ROWS) >= 80
    assert all(re.fullmatch(r"RFC \d{4} §[\d.]+", row.section) for row in websocket.ROWS)
