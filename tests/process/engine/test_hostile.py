"""A hostile server, row by row: the right outcome under `persistent` and `close`, and equal accounts on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import endings, http1_bodies, http1_connections, http1_heads, http1_lenient, tls
from tests.support.hostile.behaviour import Row
from tests.support.hostile.check import check_accounts, check_right, check_table, run_row

ROWS = (*http1_heads.ROWS, *http1_bodies.ROWS, *http1_connections.ROWS, *http1_lenient.ROWS, *tls.ROWS, *endings.ROWS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_outcome_is_right_and_the_accounts_agree(tmp_path: Path, row: Row) -> None:
    run, account = run_row(row, tmp_path)
    check_right(row, run)
    check_accounts(run, account)


def test_every_row_has_a_name_of_its_own_and_a_section() -> None:
    check_table(ROWS, 301)  # as docs/trust.md says
