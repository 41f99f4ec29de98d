"""A scenario's WebSocket: what its block gives, and the events that Locust counts."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from loadgen.swarm.request_failures import RequestFailed
from loadgen.swarm.reuse_websocket import ReuseWebSocket, WebSocketLabels, http_url
from loadgen.target.behaviour import Behaviour
from tests.support.client_rig import clients_of_target

LABELS = WebSocketLabels("/chat", "https://h/chat", "persistent", {"step": 1})


def events_of(behaviour: Behaviour, scenario: Callable[[ReuseWebSocket], Any]) -> tuple[Any, list[dict[str, Any]], Any]:
    """What the scenario gives, the events that were fired, and the rows of the exchanges."""
    events: list[dict[str, Any]] = []
    hook = SimpleNamespace(fire=lambda **values: events.append(values))
    environment = SimpleNamespace(events=SimpleNamespace(request=hook))
    user: Any = SimpleNamespace(environment=environment, context=lambda: {"user": 7})
    with clients_of_target(behaviour) as (pool, sink, _target):
        client = pool.new_client()
        websocket = ReuseWebSocket(user, lambda: client.websocket("/chat"), LABELS)
        found = gevent.spawn(scenario, websocket).get(timeout=20)
    return found, events, sink


def test_handshake_and_messages_are_events_that_make_up_the_exchanges() -> None:
    def chat(websocket: ReuseWebSocket) -> list[str | bytes]:
        with websocket as ws:
            ws.send("hello")
            first = ws.receive()
            ws.send(b"\xff")
            return [first, ws.receive(timeout=5)]

    found, events, sink = events_of(Behaviour(), chat)
    assert found == ["hello", b"\xff"]
    assert [event["name"] for event in events] == [
        "connect /chat", "send /chat", "receive /chat", "send /chat", "receive /chat",
    ]  # fmt: skip
    assert all(event["exception"] is None and event["request_type"] == "WS" for event in events)
    assert [event["response_length"] for event in events] == [0, 5, 5, 1, 1]
    assert {event["url"] for event in events} == {"wss://h/chat"}
    contexts = [event["context"] for event in events]
    assert [context["reused"] for context in contexts] == [False, True, True, True, True]
    assert all((one["user"], one["step"], one["policy"]) == (7, 1, "persistent") for one in contexts)
    assert contexts[0]["phases"]["upgrade"] > 0
    assert contexts[0]["phases"]["wait"] is None
    for number, row in enumerate(sink.exchanges):
        sent, received = contexts[1 + 2 * number]["phases"], contexts[2 + 2 * number]["phases"]
        assert (row["send"], row["wait"]) == (sent["send"], received["wait"])
    assert events[0]["response_time"] == pytest.approx(sum(filter(None, contexts[0]["phases"].values())) / 1e6)


def test_one_that_does_not_open_is_a_failure_and_an_exception() -> None:
    def refused(websocket: ReuseWebSocket) -> str:
        with pytest.raises(RequestFailed) as caught, websocket:
            raise AssertionError("it did not open")
        return str(caught.value)

    found, (event,), _ = events_of(Behaviour(declines=frozenset({"websocket"})), refused)
    assert found == "upgrade_refused"
    assert (event["name"], repr(event["exception"])) == ("connect /chat", "upgrade_refused")


def test_what_does_not_come_is_a_failure_and_the_messages_after_it_too() -> None:
    def waits(websocket: ReuseWebSocket) -> list[str]:
        raised = []
        with websocket as ws:
            for action in (lambda: ws.receive(timeout=0.01), lambda: ws.send("late")):
                with pytest.raises(RequestFailed) as caught:
                    action()
                raised.append(str(caught.value))
        return raised

    found, events, _ = events_of(Behaviour(), waits)
    assert found == ["response_timeout", "response_timeout"]
    assert [repr(event["exception"]) for event in events[1:]] == found
    assert events[1]["response_time"] >= 10


def test_it_is_for_a_with_block() -> None:
    websocket = ReuseWebSocket(SimpleNamespace(), lambda: pytest.fail("opened"), LABELS)  # type: ignore[arg-type] # no user is needed
    websocket.close()  # nothing is open
    with pytest.raises(RuntimeError, match="in a with block"):
        websocket.send("hello")


@pytest.mark.parametrize(
    ("url", "http"), [("ws://h/a", "http://h/a"), ("wss://h/a", "https://h/a"), ("/ws://x", "/ws://x"), ("/a", "/a")]
)
def test_a_url_may_have_the_scheme_of_websockets(url: str, http: str) -> None:
    assert http_url(url) == http
