"""How connections ended, and when that is the server's doing."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.stats.endings import ended_by_server, server_endings
from loadgen.model.records import ClosedBy, Ending


def connections(opened: int, by_server: int, **endings: int) -> Any:
    return {
        "opened": opened,
        "closed_by": {"client": opened - by_server, "server": by_server},
        "endings": endings,
    }


def test_only_endings_by_the_server_are_listed_in_their_order() -> None:
    found = server_endings(connections(9, 5, client_silent=4, server_stale=3, server_announced=2))
    assert list(found.items()) == [("server_stale", 3), ("server_announced", 2)]


@pytest.mark.parametrize("ending", list(Ending))
def test_every_ending_belongs_to_one_side(ending: Ending) -> None:
    found = server_endings(connections(1, 0, **{ending.label: 1}))
    assert bool(found) == (ending.closed_by is ClosedBy.SERVER)


@pytest.mark.parametrize(("by_server", "expected"), [(0, False), (5, False), (6, True), (100, True)])
def test_a_few_endings_are_chance(by_server: int, expected: bool) -> None:
    assert ended_by_server(connections(100, by_server)) is expected


def test_no_connections_were_not_ended_by_the_server() -> None:
    assert not ended_by_server(connections(0, 0))
