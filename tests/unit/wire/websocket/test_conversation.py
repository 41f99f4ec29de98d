"""A WebSocket on which both sides send: what is an exchange, what its phases are, how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.websocket.conversation import Conversation, ReceivedMessage
from loadgen.wire.websocket.message import Message
from tests.support.fake_network import MS, FakeClock, FakeRoute
from tests.support.upgrade_servers import BINARY, CLOSE, PING, TEXT, switching, ws_frame

REQUEST = Message(b"", True, "/chat", (("Host", "h:81"),))


class Owner(Listener):
    """Opens a conversation 10 ms after it began, with 4 ms for the upgrade, and notes what it hears."""

    def __init__(self, opens: bool = True) -> None:
        self.clock = FakeClock()
        self.route = FakeRoute(self.clock)
        self.connection = Conversation(3, self.route, self, self.clock, ResponseReader(1000))
        self.messages: list[ReceivedMessage] = []
        self.connection.receive = self.messages.append
        self.exchanges: list[dict[str, Any]] = []
        self.losses = self.ready = 0
        self.connection.open(REQUEST)
        self.server = self.route.made[0]
        if opens:
            self.clock.pass_ms(10)
            self.server.open()
            self.clock.pass_ms(4)
            self.server.answer(switching(self.server.requests[0]))

    def say(self, payload: bytes = b"hello", is_text: bool = True) -> None:
        self.connection.submit(Message(payload, is_text, "", ()))

    def hear(self, payload: bytes = b"hello", opcode: int = TEXT) -> None:
        self.server.answer(ws_frame(opcode, payload))

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        phases = [connection.phase_ns(state) for state in (SENDING, WAITING, RECEIVING)]
        self.exchanges.append({
            "outcome": outcome, "index": connection.request_index, "queue": connection.queue_ns, "phases": phases,
            "scheduled": connection.scheduled_ns, "end": end_ns, "bytes": connection.bytes_received,
        })  # fmt: skip

    def connection_lost(self, connection: Any) -> None:
        self.losses += 1

    def connection_ready(self, connection: Any) -> None:
        self.ready += 1


def test_it_opens_without_a_message() -> None:
    owner = Owner()
    connection = owner.connection
    assert (owner.ready, connection.state, owner.exchanges) == (1, IDLE, [])
    assert connection.handshake == (ABSENT, 10 * MS, ABSENT, ABSENT, 4 * MS)
    assert owner.server.requests[0].startswith(b"GET /chat HTTP/1.1\r\nHost: h:81\r\n")
    assert connection.accepts


def test_a_message_and_the_next_one_that_comes_are_an_exchange() -> None:
    owner = Owner()
    owner.clock.pass_ms(500)  # the scenario does something else
    owner.say()
    begun_ns = owner.clock.now_ns
    owner.clock.pass_ms(3)
    owner.hear(b"answer")
    assert [(one.payload, one.phases_ns) for one in owner.messages] == [("answer", (ABSENT, 3 * MS, 0))]
    (exchange,) = owner.exchanges
    assert (exchange["outcome"], exchange["index"], exchange["phases"]) == (101, 0, [0, 3 * MS, 0])
    # The first one pays for the handshake: its phases end when it did.
    assert exchange["scheduled"] == begun_ns - 14 * MS
    owner.say(b"\x00", is_text=False)
    owner.hear(b"\x00", BINARY)
    assert (owner.exchanges[1]["index"], owner.exchanges[1]["scheduled"]) == (1, owner.clock.now_ns)
    assert owner.messages[1].payload == b"\x00"


def test_messages_in_flight_are_answered_in_order_and_wait_for_each_other() -> None:
    owner = Owner()
    for _ in range(2):
        owner.say()
    owner.clock.pass_ms(5)
    owner.hear(b"1")
    owner.clock.pass_ms(2)
    assert (owner.connection.in_flight, owner.connection.state) == (1, WAITING)
    owner.hear(b"2")
    assert [one["queue"] for one in owner.exchanges] == [ABSENT, 5 * MS]
    assert [one["phases"][1] for one in owner.exchanges] == [5 * MS, 2 * MS]
    assert owner.connection.state == IDLE


def test_a_message_of_the_servers_own_is_no_exchange() -> None:
    owner = Owner()
    owner.hear(b"news")
    assert [(one.payload, one.phases_ns) for one in owner.messages] == [("news", None)]
    assert (owner.exchanges, owner.connection.state) == ([], IDLE)
    owner.say()
    owner.server.answer(ws_frame(TEXT, b"answer") + ws_frame(TEXT, b"more news"))
    assert [one.payload for one in owner.messages] == ["news", "answer", "more news"]
    assert len(owner.exchanges) == 1


def test_a_message_in_pieces_is_received_from_its_first_byte_on() -> None:
    owner = Owner()
    owner.say()
    owner.clock.pass_ms(1)
    owner.server.answer(ws_frame(TEXT, b"in ", fin=False))
    owner.clock.pass_ms(6)
    owner.server.answer(ws_frame(0, b"two"))
    assert owner.exchanges[0]["phases"] == [0, MS, 6 * MS]
    assert owner.messages[0].payload == "in two"


def test_pings_are_answered_at_any_time() -> None:
    owner = Owner()
    sent = len(owner.server.requests)
    owner.hear(b"are you there", PING)
    assert owner.server.requests[sent][0] == 0x8A  # one Pong
    owner.say()
    owner.hear(b"still", PING)
    owner.hear()
    assert len(owner.exchanges) == 1


def test_a_message_that_awaits_no_answer_ends_with_its_sending() -> None:
    owner = Owner()
    for _ in range(2):
        owner.say()
    owner.clock.pass_ms(9)
    assert owner.connection.forgo()
    assert [(one["outcome"], one["phases"]) for one in owner.exchanges] == [(101, [0, ABSENT, ABSENT])] * 2
    assert owner.connection.announce_close()
    assert (owner.connection.awaits_close, owner.connection.accepts) == (True, False)
    owner.hear(b"\x03\xe8", CLOSE)
    assert (owner.losses, owner.connection.ending) == (1, Ending.CLIENT_ANNOUNCED)


def test_the_server_closes_while_nothing_is_awaited() -> None:
    owner = Owner()
    owner.hear(b"\x03\xe8", CLOSE)
    assert (owner.losses, owner.exchanges, owner.connection.ending) == (1, [], Ending.SERVER_ANNOUNCED)
    assert owner.server.requests[-1][0] == 0x88  # its Close was answered


def test_the_server_closes_in_place_of_an_answer() -> None:
    owner = Owner()
    for _ in range(2):
        owner.say()
    owner.clock.pass_ms(2)
    owner.hear(b"\x03\xf3because", CLOSE)
    assert [one["outcome"] for one in owner.exchanges] == [-ErrorKind.WEBSOCKET_CLOSED] * 2
    assert [one["phases"] for one in owner.exchanges] == [[0, 2 * MS, ABSENT]] * 2
    assert owner.connection.failure == "the server closed with code 1011: 'because'"
    assert owner.connection.state == CLOSED


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ErrorKind.UPGRADE_REFUSED),
        (b"nonsense\r\n\r\n", ErrorKind.NOT_HTTP),
    ],
)
def test_an_upgrade_that_fails_is_an_exchange_that_fails(answer: bytes, kind: ErrorKind) -> None:
    owner = Owner(opens=False)
    owner.server.open()
    owner.server.answer(answer)
    assert [(one["outcome"], one["index"]) for one in owner.exchanges] == [(-kind, 0)]
    assert owner.ready == 0


def test_only_what_has_not_left_is_overdue() -> None:
    owner = Owner(opens=False)
    begun_ns = owner.clock.now_ns
    assert owner.connection.overdue(begun_ns + 1)
    owner.server.open()
    owner.server.answer(switching(owner.server.requests[0]))
    owner.say()
    assert not owner.connection.overdue(begun_ns + 10_000 * MS)
    owner.connection.expire()
    assert [one["outcome"] for one in owner.exchanges] == [-ErrorKind.RESPONSE_TIMEOUT]
