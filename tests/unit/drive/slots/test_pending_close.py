"""A connection whose server was asked to close it: what is recorded when the server does, and when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.slots.pending_close import PendingClose
from loadgen.model.records import ConnectionFlag, Ending


class FakeConnection:
    """A connection that notes how it was closed."""

    def __init__(self) -> None:
        self.listener: Any = None
        self.flags = int(ConnectionFlag.ESTABLISHED)
        self.ending = Ending.NOT_OPENED
        self.closed: list[Ending] = []

    def close(self, ending: Ending) -> None:
        self.closed.append(ending)
        self.ending = ending


def pending(connection: Any, ended: list[PendingClose]) -> PendingClose:
    return PendingClose(connection, 3, 10_500, ended.append)


def test_it_listens_until_its_grace_is_over() -> None:
    connection = FakeConnection()
    found = pending(connection, [])
    assert connection.listener is found
    assert (found.due_ns, found.slot, found.is_over) == (10_500, 3, False)


def test_a_server_that_closes_did_what_it_was_asked_for() -> None:
    connection, ended = FakeConnection(), list[PendingClose]()
    found = pending(connection, ended)
    connection.ending = Ending.SERVER_IDLE_FIN
    found.connection_lost(connection)  # type: ignore[arg-type] # a stand-in
    assert ended == [found]
    assert connection.ending is Ending.CLIENT_ANNOUNCED
    assert not connection.flags & ConnectionFlag.IGNORED_CLOSE


@pytest.mark.parametrize("waited", [True, False])
def test_the_client_closes_and_blames_the_server_only_after_the_grace(waited: bool) -> None:
    connection, ended = FakeConnection(), list[PendingClose]()
    found = pending(connection, ended)
    found.give_up(waited)
    assert ended == [found]
    assert connection.closed == [Ending.CLIENT_ANNOUNCED]
    assert bool(connection.flags & ConnectionFlag.IGNORED_CLOSE) is waited


def test_no_exchange_can_end_on_it() -> None:
    connection = FakeConnection()
    found = pending(connection, [])
    with pytest.raises(AssertionError, match="waits for its close"):
        found.exchange_done(connection, 200, 0)  # type: ignore[arg-type] # a stand-in
