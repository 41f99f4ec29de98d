"""The upgrade to HTTP/2 in clear: taken, declined or answered wrongly, over a fake transport."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection

from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import Leniency
from loadgen.model.records import ConnectionFlag
from loadgen.wire.http2.h2c import H2cConnection
from loadgen.wire.http2.stream import StreamRequest
from loadgen.wire.lifecycle import IDLE, UPGRADING
from tests.support.connections import RESPONSE, Clock, Rig
from tests.support.cuts import Cut, either_way

FIELDS = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/"))
PLAIN = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
OFFER = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n"
REQUEST = StreamRequest(FIELDS, b"", PLAIN, OFFER)
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def switching(protocol: bytes | None) -> bytes:
    field = b"" if protocol is None else b"Upgrade: " + protocol + b"\r\n"
    return b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + field + b"\r\n"


@pytest.fixture
def clock() -> Clock:
    return Clock()


class UpgradeRig(Rig):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, kind=H2cConnection)

    def connection_ready(self, connection: H2cConnection) -> None:
        """Nothing is added to the first exchange."""

    def answer_with(self, pieces: list[bytes]) -> UpgradeRig:
        for piece in pieces:
            if self.connection.busy:
                self.arrive(piece)
        return self


@pytest.fixture
def rig(clock: Clock) -> UpgradeRig:
    mine = UpgradeRig(clock)
    mine.open(REQUEST)  # type: ignore[arg-type] # it says each form of the request
    assert (mine.transport.written, mine.connection.state) == (OFFER, UPGRADING)
    return mine


def http2_answer() -> bytes:
    """The server's side of the connection after the upgrade, with the answer on stream 1."""
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_upgrade_connection(b"")
    server.send_headers(1, [(":status", "200"), ("content-length", "5")])
    server.send_data(1, b"hello", end_stream=True)
    return server.data_to_send()


@either_way
@pytest.mark.parametrize("before", [b"", HINTS * 3])
def test_the_server_takes_the_offer(rig: UpgradeRig, cut: Cut, before: bytes) -> None:
    rig.answer_with(cut(before + switching(b"h2c") + http2_answer()))
    assert (rig.outcomes, rig.connection.state) == ([200], IDLE)
    assert rig.connection.flags & ConnectionFlag.UPGRADED
    assert "upgrade" in rig.phases
    # All of it may come in one read, and then some phases take no time.
    assert sum(rig.phases.values()) + rig.connection.own_ns == rig.end_ns - rig.connection.scheduled_ns
    assert rig.transport.written.startswith(OFFER + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


@either_way
def test_heads_that_are_not_to_the_letter_are_read_as_anywhere(rig: UpgradeRig, cut: Cut) -> None:
    rig.answer_with(cut(b"\r\n" + switching(b"h2c").replace(b"\r\n", b"\n") + http2_answer()))
    assert (rig.outcomes, rig.connection.state) == ([200], IDLE)


@either_way
def test_a_server_that_declines_is_read_as_leniently(rig: UpgradeRig, cut: Cut) -> None:
    rig.answer_with(cut(RESPONSE.replace(b"\r\n", b"\n")))
    assert (rig.outcomes, rig.reader.notes) == ([200], Leniency.BARE_LF)
    rig.arrive(b"\r\n")
    rig.reuse(REQUEST)  # type: ignore[arg-type] # it says each form of the request
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.reader.notes) == ([200, 200], Leniency.EMPTY_LINE)


@either_way
@pytest.mark.parametrize("before", [b"", HINTS])
def test_the_server_declines_and_the_connection_goes_on(rig: UpgradeRig, cut: Cut, before: bytes) -> None:
    rig.answer_with(cut(before + RESPONSE))
    assert (rig.outcomes, rig.connection.state, rig.transport.written) == ([200], IDLE, OFFER)
    assert rig.connection.flags & ConnectionFlag.DECLINED
    rig.assert_tiled("connect", "send", "wait", "receive")
    assert rig.connection.bytes_received == len(RESPONSE)
    rig.reuse(REQUEST)  # type: ignore[arg-type] # it says each form of the request
    assert rig.transport.written == OFFER + PLAIN
    rig.arrive(RESPONSE)
    assert rig.outcomes == [200, 200]


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (switching(b"websocket"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "101, but its field Upgrade is 'websocket'"),
        (switching(b"h2c, x"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "101, but its field Upgrade is 'h2c, x'"),
        (switching(None), ErrorKind.UPGRADE_WRONG_PROTOCOL, "101, but its field Upgrade is missing"),
        (HINTS * 101, ErrorKind.HEAD_TOO_LARGE, "more than 100 interim responses"),
        (b"SSH-2.0-x\r\n", ErrorKind.NOT_HTTP, "the response starts with 'SSH-2.0-x\\r\\n', so the server speaks SSH"),
    ],
)
def test_other_answers_end_it(rig: UpgradeRig, answer: bytes, kind: ErrorKind, detail: str) -> None:
    rig.arrive(answer)
    assert (rig.outcomes, rig.connection.failure) == ([-kind], detail)


def test_an_answer_that_never_comes(rig: UpgradeRig) -> None:
    rig.connection.expire()
    assert rig.outcomes == [-ErrorKind.UPGRADE_TIMEOUT]


@pytest.mark.parametrize("end", [lambda rig: rig.arrive(b""), lambda rig: rig.arrive(HINTS, b"")])
def test_a_close_instead_of_an_answer(rig: UpgradeRig, end: Callable[[UpgradeRig], object]) -> None:
    end(rig)
    if rig.connection.busy:
        rig.transport.callback()
    assert rig.outcomes == [-ErrorKind.CLOSED_WITHOUT_RESPONSE]


def test_the_time_that_making_frames_takes_is_own_work(rig: UpgradeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.answer_with([switching(b"h2c") + http2_answer()])
    streams = rig.connection._streams  # type: ignore[attr-defined] # of this kind
    start = streams.start

    def slow(*arguments: object) -> object:
        rig.clock.now_ns += 5_000_000
        return start(*arguments)

    monkeypatch.setattr(type(streams), "start", lambda _, *arguments: slow(*arguments))
    rig.connection.exchange(REQUEST)
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_upgrade_connection(b"")
    server.send_headers(1, [(":status", "200")], end_stream=True)
    server.data_to_send()
    server.receive_data(rig.transport.written.removeprefix(OFFER))
    server.send_headers(3, [(":status", "200")], end_stream=True)
    rig.arrive(server.data_to_send())
    assert rig.outcomes == [200, 200]
    assert rig.connection.own_ns >= 5_000_000 > sum(rig.phases.values())
    assert sum(rig.phases.values()) + rig.connection.own_ns == rig.end_ns - rig.connection.scheduled_ns
