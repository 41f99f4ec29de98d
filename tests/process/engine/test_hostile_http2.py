"""A hostile server in HTTP/2, row by row: the right outcome, what the client says of it, and equal accounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import http2_framing, http2_messages
from tests.support.hostile.behaviour import Row
from tests.support.hostile.check import check_row, check_table

ROWS = (*http2_framing.ROWS, *http2_messages.ROWS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_outcome_is_right_and_the_accounts_agree(tmp_path: Path, row: Row) -> None:
    check_row(row, tmp_path)


def test_every_row_has_a_name_of_its_own_and_a_section() -> None:
    check_table(ROWS, 100)
