"""The target's account: what it counts of open and closed connections, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.target.account import Account, add_accounts, subtract_accounts


@dataclass(eq=False)
class Peer:
    """What the account reads from a connection."""

    served: int = 0
    had_internal: bool = False
    protocol: str = "http/1.1"
    number: int = 0
    last_ns: int = 0
    ended_by: str = ""


def test_open_and_closed_connections_count() -> None:
    account = Account()
    first, second = Peer(), Peer(protocol="h2")
    account.accepted(first)
    account.accepted(second)
    first.served, second.served = 3, 5
    account.closed(first)
    account.closed(first)  # a second call changes nothing
    assert account.opened == [second]
    assert account.stats() == {
        "accepted": 2,
        "open": 1,
        "requests": 8,
        "requests_per_connection": {"3": 1, "5": 1},
        "protocols": {"http/1.1": 1, "h2": 1, "h2c": 0, "websocket": 0},
    }


def test_reading_the_account_does_not_change_it() -> None:
    account = Account()
    reader, mixed, unused = Peer(had_internal=True), Peer(served=1, had_internal=True), Peer()
    for peer in (reader, mixed, unused):
        account.accepted(peer)
    # A connection that has not served anything yet counts; one that only read the account does not.
    assert (account.stats()["accepted"], account.stats()["open"]) == (2, 2)
    account.closed(reader)
    stats = account.stats()
    assert (stats["accepted"], stats["requests"], stats["requests_per_connection"]) == (2, 1, {"0": 1, "1": 1})


def test_what_became_of_connections_that_asked_for_it() -> None:
    account = Account()
    plain, ended, kept = Peer(served=1), Peer(had_internal=True, ended_by="client"), Peer(had_internal=True)
    for peer in (plain, ended, kept):
        account.accepted(peer)
    for peer in (plain, ended):
        account.closed(peer)
    found = account.connections()["connections"]
    assert [(one["number"], one["ended"]) for one in found] == [(2, "client"), (3, None)]
    assert all(one["idle_ns"] > 0 for one in found)


def test_an_upgraded_connection_is_the_same_one() -> None:
    account = Account()
    before = Peer()
    account.accepted(before)
    after = Peer(served=2, protocol="websocket")
    account.upgraded(before, after)
    account.closed(before)
    assert account.opened == [after]
    account.closed(after)
    stats = account.stats()
    assert (stats["accepted"], stats["requests"], stats["protocols"]["websocket"]) == (1, 2, 1)


def test_accounts_of_two_targets_add_up() -> None:
    one = {"accepted": 1, "requests_per_connection": {"1": 2}}
    other = {"accepted": 2, "requests_per_connection": {"1": 1, "3": 4}}
    assert add_accounts(one, other) == {"accepted": 3, "requests_per_connection": {"1": 3, "3": 4}}
    assert add_accounts(None, other) is None
    assert add_accounts(one, None) is None


def test_the_account_of_what_came_later_is_the_difference() -> None:
    part = {
        "accepted": 3,
        "open": 1,
        "requests": 9,
        "requests_per_connection": {"1": 2, "7": 1},
        "protocols": {"h2": 1},
    }
    total = {
        "accepted": 5, "open": 0, "requests": 13, "requests_per_connection": {"1": 2, "4": 1, "7": 2},
        "protocols": {"h2": 1},
    }  # fmt: skip
    assert subtract_accounts(total, part) == {
        "accepted": 2, "open": 0, "requests": 4, "requests_per_connection": {"4": 1, "7": 1}, "protocols": {"h2": 0},
    }  # fmt: skip
    assert subtract_accounts(None, part) is subtract_accounts(total, None) is None
