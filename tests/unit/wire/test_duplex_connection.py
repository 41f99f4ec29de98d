"""Connections that speak WebSocket or HTTP/2, over a fake transport: whatever comes, each request is reported once."""

from __future__ import annotations

from typing import Any

import pytest
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.h2c import H2cConnection
from loadgen.wire.http2.stream import StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE
from loadgen.wire.websocket.connection import WebSocketConnection
from loadgen.wire.websocket.message import Message
from tests.support.connections import EOF, RESPONSE, Clock, Rig, broken_pipe, exchange_phases, reset
from tests.support.http2_requests import FIELDS, FRAME, POST
from tests.support.upgrade_servers import BINARY, CLOSE, PING, TEXT, switching, ws_frame

PLAIN = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
GET = StreamRequest(FIELDS, b"", PLAIN, PLAIN)
UPLOAD = StreamRequest(POST, bytes(70_000), PLAIN * 3000, PLAIN)
UPGRADED = b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
FOUR_STREAMS = SettingsFrame(0, {SettingsFrame.MAX_CONCURRENT_STREAMS: 4}).serialize()
ACKNOWLEDGED = SettingsFrame(0, flags=["ACK"]).serialize()
HELLO = Message(b"hello", True, "/", (("Host", "h"),))


class FramedRig(Rig):
    """Refills the connection as its owner would, and checks each report of an exchange."""

    def __init__(self, clock: Clock, kind: type[Connection], depth: int = 1, refills: int = 0) -> None:
        super().__init__(clock, limit_bytes=100_000, kind=kind)
        self.depth = depth
        self.refills = refills
        self.reported: list[int] = []

    def connection_ready(self, connection: Http2Connection) -> None:
        for _ in range(self.depth - 1):
            connection.submit(GET)

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        super().exchange_done(connection, outcome, end_ns)
        self.reported.append(connection.request_index)
        handshake = [max(phase, 0) for phase in connection.handshake] if connection.request_index == 0 else []
        phases = exchange_phases(connection)
        assert min(phases) >= -1
        if isinstance(connection, Http2Connection) and connection.state == CLOSED:
            assert not connection.accepts
        queue = connection.queue_ns
        assert connection.own_ns >= 0
        spent = sum(handshake) + max(queue, 0) + sum(max(phase, 0) for phase in phases) + connection.own_ns
        took = end_ns - connection.scheduled_ns
        assert spent == took if outcome > 0 else spent <= took
        if self.refills and connection.state != CLOSED and connection.is_reusable():
            self.refills -= 1
            if isinstance(connection, Http2Connection):
                connection.submit(UPLOAD if self.refills % 3 == 0 else GET)
                connection.flush()
            else:
                connection.exchange(HELLO)

    def pump(self) -> None:
        """The loop calls back as long as there is something to be read."""
        while self.transport.incoming and not self.transport.closed:
            self.transport.callback()

    def end(self) -> None:
        """As a block's end: what is under way is cut short."""
        if self.connection.state != CLOSED:
            self.pump()
        if self.connection.state == CLOSED:
            return
        if self.connection.busy or getattr(self.connection, "in_flight", 0):
            self.connection.abandon()
        else:
            self.connection.close(Ending.CLIENT_SILENT)


def happen(rig: FramedRig, step: Any, at_once: bool) -> None:
    """One event at the connection: bytes, or what the name says."""
    connection, transport = rig.connection, rig.transport
    if isinstance(step, bytes):
        transport.incoming.append(step)
        if not at_once:
            rig.pump()
    elif step == "room":
        transport.room_bytes = 1 << 30
        transport.callback()
    elif step == "no room":
        transport.room_bytes = 10
    elif step == "late":
        if connection.overdue(rig.clock.now_ns):
            connection.expire()
    elif step == "unsendable":
        transport.send_error = broken_pipe()
    else:
        transport.incoming.append(EOF if step == "FIN" else reset())
        rig.pump()


def head(number: int, ends: bool) -> bytes:
    return HeadersFrame(number, b"\x88", flags=["END_HEADERS", "END_STREAM"] if ends else ["END_HEADERS"]).serialize()


def data(number: int, ends: bool, size: int) -> bytes:
    return DataFrame(number, bytes(size), flags=["END_STREAM"] if ends else []).serialize()


INCIDENTS = st.sampled_from(["room", "no room", "late", "unsendable", "FIN", "RST"])
NUMBER = st.sampled_from([1, 3, 5, 7, 9])
HTTP2 = st.one_of(
    st.builds(head, NUMBER, st.booleans()),
    st.builds(data, NUMBER, st.booleans(), st.integers(0, 1200)),
    st.builds(lambda number: RstStreamFrame(number, 8).serialize(), NUMBER),
    st.builds(lambda last: GoAwayFrame(0, last).serialize(), st.sampled_from([0, 1, 3, 5, (1 << 31) - 1])),
    st.builds(lambda most: SettingsFrame(0, {3: most}).serialize(), st.integers(0, 6)),
    st.builds(lambda size: SettingsFrame(0, {4: size}).serialize(), st.integers(0, 70_000)),
    st.builds(lambda size: WindowUpdateFrame(0, size).serialize(), st.integers(1, 70_000)),
    st.sampled_from([PingFrame(0, b"12345678").serialize(), ACKNOWLEDGED]),
)
HTTP1 = st.sampled_from([RESPONSE, RESPONSE[:30], RESPONSE[30:], UPGRADED, b"HTTP/1.1 103 Early Hints\r\n\r\n"])
BEGINNINGS = {
    "prior knowledge": (Http2Connection, FOUR_STREAMS),
    "upgraded": (H2cConnection, UPGRADED + FOUR_STREAMS),
    "declined": (H2cConnection, RESPONSE),
    "not yet upgraded": (H2cConnection, b""),
}


@pytest.mark.parametrize("begins", BEGINNINGS)
@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.one_of(HTTP2, HTTP2, HTTP1, FRAME, INCIDENTS), max_size=25),
    depth=st.integers(1, 6),
    refills=st.integers(0, 8),
    at_once=st.booleans(),
)
def test_whatever_comes_each_stream_is_reported_once(
    begins: str, steps: list[Any], depth: int, refills: int, at_once: bool
) -> None:
    kind, first = BEGINNINGS[begins]
    clock = Clock()
    rig = FramedRig(clock, kind, depth, refills)
    rig.open(GET)  # type: ignore[arg-type]
    for step in (first, *steps):
        if rig.connection.state != CLOSED and step:
            happen(rig, step, at_once)
    rig.end()
    assert sorted(rig.reported) == list(range(rig.connection.submitted))  # type: ignore[attr-defined]


WS_FRAME = st.builds(
    ws_frame,
    st.sampled_from([0, TEXT, TEXT, TEXT, BINARY, CLOSE, PING, 3]),
    st.sampled_from([b"", b"hello", b"\x03\xe9", b"\xff", bytes(1200)]),
    st.sampled_from([True, True, True, False]),
)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.one_of(WS_FRAME, WS_FRAME, INCIDENTS), max_size=25),
    refills=st.integers(0, 8),
    at_once=st.booleans(),
    upgrades=st.booleans(),
)
def test_whatever_comes_each_message_is_reported_once(
    steps: list[Any], refills: int, at_once: bool, upgrades: bool
) -> None:
    clock = Clock()
    rig = FramedRig(clock, WebSocketConnection, refills=refills)
    rig.open(HELLO)  # type: ignore[arg-type]
    first = switching(rig.transport.written) if upgrades else b"HTTP/1.1 403 Forbidden\r\n\r\n"
    for step in (first, *steps):
        if rig.connection.state != CLOSED:
            happen(rig, step, at_once)
    rig.end()
    assert rig.reported == list(range(len(rig.reported)))
    assert len(rig.reported) == rig.connection.request_index + 1


def test_an_answer_is_read_though_nothing_can_be_sent_any_more() -> None:
    """The server has answered and gone; that an acknowledgement comes too late changes nothing of the answer."""
    clock = Clock()
    rig = FramedRig(clock, Http2Connection)
    rig.open(GET)  # type: ignore[arg-type]
    rig.transport.send_error = reset()
    rig.transport.incoming += [FOUR_STREAMS, head(1, False) + data(1, True, 5), EOF]
    rig.pump()
    assert rig.outcomes == [200]
    assert (rig.connection.state, rig.losses) == (CLOSED, 1)
    assert rig.connection.ending is Ending.SERVER_IDLE_RST


def test_a_request_that_begins_and_is_answered_in_one_turn() -> None:
    """The loop's turn began before it did; its phases begin with it."""
    clock = Clock()
    rig = FramedRig(clock, Http2Connection, refills=2)
    rig.open(GET)  # type: ignore[arg-type]
    rig.arrive(FOUR_STREAMS)
    first = head(1, False) + data(1, False, 16_000) + data(1, True, 16_000)
    rig.transport.incoming += [first, head(3, False) + data(3, True, 5)]
    rig.transport.callback()
    assert rig.outcomes == [200, 200]
    rig.end()


def test_a_message_that_is_sent_and_answered_in_one_turn() -> None:
    clock = Clock()
    rig = FramedRig(clock, WebSocketConnection, refills=1)
    rig.open(HELLO)  # type: ignore[arg-type]
    rig.arrive(switching(rig.transport.written))
    rig.transport.incoming += [ws_frame(TEXT, bytes(50_000)), ws_frame(TEXT, b"hello")]
    rig.transport.callback()
    assert rig.outcomes == [101, 101]
    assert min(exchange_phases(rig.connection)) >= 0


def test_a_goaway_with_the_101() -> None:
    clock = Clock()
    rig = FramedRig(clock, H2cConnection)
    rig.open(GET)  # type: ignore[arg-type]
    rig.arrive(UPGRADED + FOUR_STREAMS + GoAwayFrame(0, 0).serialize())
    assert rig.outcomes == [-ErrorKind.HTTP2_GOAWAY]


def test_a_close_of_the_servers_with_the_echo() -> None:
    """The echo counts, and that the server ends the connection is known."""
    clock = Clock()
    rig = FramedRig(clock, WebSocketConnection)
    rig.open(HELLO)  # type: ignore[arg-type]
    rig.arrive(switching(rig.transport.written))
    rig.arrive(ws_frame(TEXT, b"hello") + ws_frame(CLOSE, b"\x03\xe9"))
    assert (rig.outcomes, rig.connection.state) == ([101], IDLE)
    assert (rig.connection.is_reusable(), rig.connection.ending) == (False, Ending.SERVER_ANNOUNCED)


def opened_h2(clock: Clock, *frames: bytes, depth: int = 1, request: Any = GET) -> FramedRig:
    """A connection whose first `depth` requests are under way, and what the server said to that."""
    rig = FramedRig(clock, Http2Connection, depth=depth)
    rig.open(request)
    if frames:
        rig.arrive(b"".join(frames))
    return rig


NO_STREAMS = SettingsFrame(0, {SettingsFrame.MAX_CONCURRENT_STREAMS: 0}).serialize()


@pytest.mark.parametrize(
    ("ends", "ending"),
    [
        (EOF, Ending.SERVER_STALE),
        (reset(), Ending.SERVER_STALE),
        (b"\0\0\1\1\4\0\0\0\0x", Ending.CLIENT_GAVE_UP),
    ],
    ids=["FIN", "RST", "garbage"],
)
def test_requests_that_wait_for_a_stream_are_reported_at_the_end(ends: Any, ending: Ending) -> None:
    clock = Clock()
    rig = opened_h2(clock, FOUR_STREAMS + ACKNOWLEDGED, head(1, True))
    rig.arrive(NO_STREAMS)
    for _ in range(2):
        rig.connection.submit(GET)  # type: ignore[attr-defined]
    rig.connection.flush()  # type: ignore[attr-defined]
    rig.arrive(ends)
    assert rig.reported == [0, 1, 2]
    assert (rig.outcomes[0], set(rig.outcomes[1:]) <= {-ErrorKind.STALE_CONNECTION, -ErrorKind.HTTP2_PROTOCOL}) == (
        200,
        True,
    )
    assert (rig.connection.state, rig.connection.ending) == (CLOSED, ending)


def test_an_answer_that_ends_with_the_connection_leaves_no_request_waiting() -> None:
    """h2c declined, in HTTP/1.1 whose content goes on until the close."""
    clock = Clock()
    rig = FramedRig(clock, H2cConnection, depth=3)
    rig.open(GET)  # type: ignore[arg-type]
    rig.arrive(b"HTTP/1.1 200 OK\r\n\r\nhello", EOF)
    rig.pump()
    assert rig.reported == [0, 1, 2]
    assert rig.outcomes == [200, *[-ErrorKind.STALE_CONNECTION] * 2]


def test_bytes_without_a_request_after_a_decline() -> None:
    clock = Clock()
    rig = FramedRig(clock, H2cConnection)
    rig.open(GET)  # type: ignore[arg-type]
    rig.arrive(RESPONSE)
    rig.arrive(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert (rig.outcomes, rig.losses, rig.connection.ending) == ([200], 1, Ending.SERVER_IDLE_RESPONSE)


def test_a_reused_connection_that_closes_is_stale() -> None:
    for error in (None, broken_pipe()):
        clock = Clock()
        rig = opened_h2(clock, FOUR_STREAMS + ACKNOWLEDGED, head(1, True))
        rig.transport.send_error = error
        rig.connection.exchange(GET)
        rig.arrive(EOF)
        assert rig.outcomes == [200, -ErrorKind.STALE_CONNECTION]
        assert rig.connection.ending is Ending.SERVER_STALE


def test_the_first_ones_own_queue_is_reported_though_others_came_between() -> None:
    clock = Clock()
    rig = FramedRig(clock, Http2Connection, depth=2)
    rig.connection.open(GET, clock.monotonic_ns() - 500)
    while rig.transport.steps:
        rig.transport.callback()
    own_ns = rig.connection.queue_ns
    assert own_ns > 0
    rig.arrive(FOUR_STREAMS + ACKNOWLEDGED)
    rig.arrive(head(3, True))
    assert rig.connection.queue_ns == -1
    rig.arrive(head(1, True))
    assert (rig.reported, rig.connection.queue_ns) == ([1, 0], own_ns)


def test_an_answer_before_all_was_sent_has_no_wait() -> None:
    clock = Clock()
    upload = StreamRequest(UPLOAD.fields, bytes(200_000), b"")
    rig = opened_h2(clock, request=upload)
    rig.arrive(FOUR_STREAMS + ACKNOWLEDGED + head(1, True))
    assert rig.outcomes == [200]
    send_ns, wait_ns, receive_ns = exchange_phases(rig.connection)
    assert (send_ns > 0, wait_ns, receive_ns >= 0) == (True, -1, True)


@pytest.mark.parametrize("kind", [Connection, Http2Connection])
def test_lag_of_the_handshake_counts(kind: type[Connection]) -> None:
    """Every protocol's first request has the same error bar."""
    late_ns = 50_000_000
    clock = Clock()
    rig = FramedRig(clock, kind)
    rig.connection.open(GET if kind is Http2Connection else b"GET / HTTP/1.1\r\n\r\n", 0)
    clock.now_ns += late_ns
    while rig.transport.steps:
        rig.transport.callback()
    rig.clock.ready_ns = clock.now_ns
    if kind is Http2Connection:
        rig.arrive(FOUR_STREAMS + ACKNOWLEDGED + head(1, True))
    else:
        rig.arrive(RESPONSE)
    assert rig.outcomes == [200]
    assert rig.connection.lag_ns >= late_ns


def test_what_breaks_the_rules_behind_an_answer_takes_nothing_from_it() -> None:
    bad = b"\0\0\0\1\0\0\0\0\0"  # HEADERS of stream 0
    for cut in (1, 1000):
        said = FOUR_STREAMS + ACKNOWLEDGED + head(1, True) + bad
        clock = Clock()
        rig = opened_h2(clock, depth=2)
        for at in range(0, len(said), cut):
            rig.arrive(said[at : at + cut])
        assert rig.outcomes == [200, -ErrorKind.HTTP2_PROTOCOL]
        assert rig.connection.ending is Ending.CLIENT_GAVE_UP


def test_bad_text_behind_an_echo_takes_nothing_from_it() -> None:
    clock = Clock()
    rig = FramedRig(clock, WebSocketConnection)
    rig.open(HELLO)  # type: ignore[arg-type]
    rig.arrive(switching(rig.transport.written))
    rig.arrive(ws_frame(TEXT, b"hello") + ws_frame(TEXT, b"\xff"))
    assert rig.outcomes == [101]
    assert (rig.connection.is_reusable(), rig.connection.ending) == (False, Ending.CLIENT_GAVE_UP)
