"""What must hold of a run against a hostile server: the row's right outcome, and both sides' accounts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from loadgen.model.records import ABSENT
from tests.support.hostile.behaviour import Right, Row, words
from tests.support.hostile.run import BlockRows, Run, ending_of, run_here
from tests.support.hostile.server import Account, hostile_server
from tests.support.runs import check_account

_DURATIONS = ("queue", "send", "wait", "receive", "own", "lag")
_USERS = 2


def run_row(
    row: Row, folder: Path, policies: str = "", *options: str, interrupt_s: float | None = None
) -> tuple[Run, Account]:
    """A run against the row's server, and what that counted; policies: those that the row speaks of, or others."""
    with hostile_server(row, folder) as server:
        chosen = policies or ",".join(row.right)
        arguments = ("--policies", chosen, *row.options, *options)
        run = run_here(server.url, folder / "run", *arguments, ca_file=server.ca_file, interrupt_s=interrupt_s)
    return run, server.account


def check_row(row: Row, folder: Path, depth: int = 1) -> Run:
    """Run the row and check all that must hold of it. depth: see `check_accounts`."""
    run, account = run_row(row, folder)
    try:
        check_right(row, run)
    except AssertionError:
        if "--think" not in row.options:
            raise
        # What comes while a connection is idle comes too late for a short block on a busy machine.
        run, account = run_row(row, folder / "longer", "", "--block", "1s")
        check_right(row, run)
    check_said(row, account)
    check_accounts(run, account, depth)
    return run


def check_table(rows: Sequence[Row], min_rows: int = 1) -> None:
    """Each row has a name of its own and a section; and there are as many as the documents say."""
    assert len({row.name for row in rows}) == len(rows) >= min_rows
    assert all(re.fullmatch(r"RFC \d{4} §[\d.]+", row.section) for row in rows)


def check_accounts(run: Run, account: Account, depth: int = 1) -> None:
    """Nothing is lost on either side. depth: requests in flight on a connection."""
    assert account.hung == 0
    check_phases(run)
    check_account(run.summary)
    for one in run.summary["policies"].values():
        if one["arrivals"]:
            assert one["arrivals"]["due"] == one["started"] + one["arrivals"]["unstarted"]
    assert run.opened == account.accepted
    # A reset takes what the peer has not read yet.
    assert run.sent - depth * account.losing <= account.requests <= run.sent
    assert run.answered <= account.requests
    assert run.bytes_received <= sum(one.bytes_sent for one in account.connections)
    if not account.losing:
        assert run.bytes_sent == sum(one.bytes_received for one in account.connections)
        assert run.sent_by_connection == Counter(one.requests for one in account.connections)


def check_phases(run: Run) -> None:
    """A phase that did not happen is absent, and none is negative."""
    for block in run.blocks:
        for row in block.exchanges:
            assert min(row[name] for name in _DURATIONS) >= ABSENT, row


def check_right(row: Row, run: Run) -> None:
    """The row's outcome, under each of its policies."""
    assert not run.refusal
    for policy, right in row.right.items():
        _check_block(run.block(policy), right)
        summary = run.summary["policies"][policy]
        must, may = words(right.notes)
        assert must <= summary["lenient"].keys() <= must | may, summary["lenient"]
        assert row.protocol != "http/1.1" or right.unasked in (None, summary["unasked_bytes"]["connections"] > 0), (
            summary["unasked_bytes"]
        )


def _check_block(block: BlockRows, right: Right) -> None:
    exchanges = [row for row in block.exchanges if row["connection"] != 0]
    connections = [row for row in block.connections if row["connection"] != 0]
    found = BlockRows(block.policy, exchanges, connections)
    must, may = words(right.results)
    assert must <= found.results.keys() <= must | may, dict(found.results)
    endings = {ending_of(row) for row in connections}
    must, may = words(right.endings)
    assert must <= endings <= must | may, endings
    if right.reused is False:
        assert found.most_on_connection <= 1
    elif right.reused:  # on a busy machine a block may be over before a second request
        assert found.most_on_connection > 1 or len(connections) <= _USERS


_ORDINARY = {"settings_ack", "goaway:NO_ERROR", "close:1000"}


def check_said(row: Row, account: Account) -> None:
    """What the client says of the row beside its requests."""
    said = set().union(*(one.said for one in account.connections))
    must, may = words(row.said)
    assert must <= said <= must | may | _ORDINARY, said
