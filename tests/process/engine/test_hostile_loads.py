"""Hostile servers under other loads than one request at a time: pools, pipelines, arrivals, several processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import http1_bodies, http1_connections, http1_heads, tls
from tests.support.hostile.check import check_accounts, run_row
from tests.support.hostile.server import hostile_server
from tests.support.processes import compare
from tests.support.runs import check_account

_DEPTH = 3
_ROWS = {row.name: row for table in (http1_heads, http1_bodies, http1_connections, tls) for row in table.ROWS}
# One of each kind of outcome.
_KINDS = (
    "well_formed", "banner_of_ssh", "status_503_and_close", "fin_in_the_body", "rst_in_the_status", "1xx_and_fin",
    "until_fin", "endless_1xx", "fin_in_the_chunk_data", "close_and_fin_later", "fin_while_idle",
    "fin_at_the_second_request", "rst_at_the_second_request", "fin_in_the_second_response",
    "rst_instead_of_an_answer", "fin_at_once", "a_response_while_idle", "tls_until_notify", "tls_rst_in_the_body",
    "certificate_has_expired", "record_with_a_bad_tag",
)  # fmt: skip
_NO_PAUSE = ("--think", "0s", "--timeout", "300ms")
_POLICIES = "pool:1,pool:2:fifo,pipeline:3,pipeline:3+recycle:4,recycle:2,abandon,ignore-close,http10-keepalive"


@pytest.mark.parametrize("name", _KINDS)
def test_pools_and_pipelines_lose_nothing(tmp_path: Path, name: str) -> None:
    run, account = run_row(_ROWS[name], tmp_path, _POLICIES, "--users", "3", "--block", "40ms", *_NO_PAUSE)
    check_accounts(run, account, _DEPTH)


@pytest.mark.parametrize("name", _KINDS)
def test_arrivals_lose_nothing(tmp_path: Path, name: str) -> None:
    load = ("--rate", "300", "--arrivals", "poisson", "--max-connections", "4")
    run, account = run_row(_ROWS[name], tmp_path, "persistent,close,recycle:3,ignore-close", *load, *_NO_PAUSE)
    check_accounts(run, account)


@pytest.mark.parametrize("name", ["fin_in_the_second_response", "rst_at_the_second_request"])
def test_several_processes_lose_nothing(tmp_path: Path, name: str) -> None:
    with hostile_server(_ROWS[name], tmp_path) as server:
        summary = compare(server.url, tmp_path / "run", "--policies", "persistent,close,recycle:2", "--processes", "2")
    check_account(summary)
    found = [one["connections"] for one in summary["policies"].values()]
    assert sum(one["opened"] for one in found) == server.account.accepted
    answered = sum(one["exchanges_with_warmup"] for one in found)
    failed = sum(one["warmup_errors"] for one in found) + sum(
        sum(one["errors"].values()) + one["unfinished"] for one in summary["policies"].values()
    )
    assert answered <= server.account.requests <= answered + failed
