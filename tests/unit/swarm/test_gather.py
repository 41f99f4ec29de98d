"""Requests sent together: their order, their errors, and what a stopped user leaves."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.swarm.gather import gather


class Client:
    """Answers when it is let go on, in the opposite order."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.ended: list[str] = []

    def request(self, method: str, path: str, **options: Any) -> Any:
        self.sent.append((method, path, options))
        if path == "bad":
            raise ValueError("no slash")
        self.go_on.wait()
        for _ in range(10 - len(self.ended) - int(path[1:])):
            gevent.sleep(0)
        self.ended.append(path)
        return f"{method} {path}"


def test_all_are_sent_at_once_and_come_back_in_their_order() -> None:
    client = Client()
    found = gevent.spawn(gather, client.request, ["/1", ("POST", "/2"), ("PUT", "/3", {"name": "three"})])
    gevent.idle()
    assert client.sent == [("GET", "/1", {}), ("POST", "/2", {}), ("PUT", "/3", {"name": "three"})]
    client.go_on.set()
    assert found.get(timeout=5) == ["GET /1", "POST /2", "PUT /3"]
    assert client.ended[0] != "/1"


def test_nothing_is_gathered_from_nothing() -> None:
    assert gather(Client().request, []) == []


def test_what_cannot_be_sent_is_raised_once_the_others_have_ended() -> None:
    client = Client()
    client.go_on.set()
    with pytest.raises(ValueError, match="no slash"):
        gather(client.request, ["/1", "bad", "/2"])
    assert sorted(client.ended) == ["/1", "/2"]


def test_a_stopped_user_abandons_all() -> None:
    client = Client()
    found = gevent.spawn(gather, client.request, ["/1", "/2"])
    gevent.idle()
    found.kill()
    client.go_on.set()
    gevent.idle()
    assert (len(client.sent), client.ended) == (2, [])
