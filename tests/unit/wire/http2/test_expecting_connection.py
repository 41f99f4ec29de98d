"""Bodies that wait for 100 Continue in HTTP/2, over a fake transport: when they go, what is counted."""

from __future__ import annotations

from functools import partial

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ClosedBy, Ending
from loadgen.wire.http1.upload import Upload
from loadgen.wire.http2.expecting_connection import ExpectingHttp2Connection
from loadgen.wire.http2.stream import StreamRequest
from loadgen.wire.lifecycle import CLOSED, IDLE
from tests.support.connections import EOF, RESPONSE, Rig, TimedClock
from tests.support.http2_requests import FIELDS, POST

HEAD = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
PLAIN = Upload(HEAD, b"hello", expects=True)
EXPECTING = StreamRequest((*POST, (b"expect", b"100-continue")), b"hello", PLAIN, expects=True)
GET = StreamRequest(FIELDS, b"", b"GET / HTTP/1.1\r\n\r\n")
BEGIN = SettingsFrame(0, {}).serialize() + SettingsFrame(0, flags=["ACK"]).serialize()
SECOND_NS = 10**9


class ExpectingRig(Rig):
    """Submits as many requests as there are to be, and keeps what was reported of each."""

    def __init__(self, clock: TimedClock, counts: ContinueCounts, streams: int = 1) -> None:
        self.counts = counts
        self.more = streams - 1
        self.reports: list[tuple[int, int, int]] = []
        super().__init__(clock, kind=partial(ExpectingHttp2Connection, continue_timeout_s=1.0, counts=counts))

    def connection_ready(self, connection: ExpectingHttp2Connection) -> None:  # type: ignore[override] # it makes these
        for _ in range(self.more):
            connection.submit(EXPECTING)

    def exchange_done(self, connection: ExpectingHttp2Connection, outcome: int, end_ns: int) -> None:  # type: ignore[override] # it makes these
        super().exchange_done(connection, outcome, end_ns)
        self.reports.append((connection.request_index, outcome, connection.continue_wait_ns))

    def begin(self, request: StreamRequest = EXPECTING) -> ExpectingRig:
        self.open(request)
        self.arrive(BEGIN)
        return self

    @property
    def found(self) -> tuple[int, int, int, int]:
        counts = self.counts
        return counts.asked, counts.received, counts.timed_out, counts.refused

    @property
    def bodies(self) -> int:
        """How many bodies were sent."""
        return self.transport.written.count(b"hello")


@pytest.fixture
def clock() -> TimedClock:
    return TimedClock()


@pytest.fixture
def rig(clock: TimedClock) -> ExpectingRig:
    return ExpectingRig(clock, ContinueCounts())


def go_on(number: int = 1, status: bytes = b"100") -> bytes:
    return HeadersFrame(number, b"\x08\x03" + status, flags=["END_HEADERS"]).serialize()


def answer(number: int = 1, *, ends: bool = True) -> bytes:
    return HeadersFrame(number, b"\x88", flags=["END_HEADERS", *(["END_STREAM"] if ends else [])]).serialize()


def resets(number: int, code: int) -> bytes:
    return RstStreamFrame(number, code).serialize()


def test_data_waits_for_100(rig: ExpectingRig, clock: TimedClock) -> None:
    rig.begin()
    assert (rig.bodies, rig.found) == (0, (1, 0, 0, 0))
    rig.arrive(go_on(status=b"103"))
    assert rig.bodies == 0
    rig.arrive(go_on())
    assert (rig.bodies, rig.found) == (1, (1, 1, 0, 0))
    assert rig.transport.written.endswith(DataFrame(1, b"hello", flags=["END_STREAM"]).serialize())
    rig.arrive(answer())
    assert (rig.outcomes, rig.connection.state) == ([200], IDLE)
    assert 0 < rig.connection.continue_wait_ns < rig.phases["send"]
    rig.assert_tiled("connect", "send", "wait", "receive")
    # The first one's time ends while the second one waits, and is not the second one's.
    rig.reuse(EXPECTING)
    clock.expire()
    assert (rig.bodies, rig.found) == (1, (2, 1, 0, 0))
    clock.expire()
    assert (rig.bodies, rig.found) == (2, (2, 1, 1, 0))


def test_data_goes_once_it_has_waited_for_long_enough(rig: ExpectingRig, clock: TimedClock) -> None:
    rig.begin()
    clock.expire()
    assert (rig.bodies, rig.found) == (1, (1, 0, 1, 0))
    rig.arrive(go_on())  # too late
    rig.arrive(answer())
    assert (rig.outcomes, rig.bodies, rig.found, clock.limit_ns) == ([200], 1, (1, 0, 1, 0), 0)
    assert rig.connection.continue_wait_ns >= SECOND_NS
    rig.assert_tiled("connect", "send", "wait", "receive")


def test_a_final_response_in_place_of_100_ends_the_stream_alone(rig: ExpectingRig, clock: TimedClock) -> None:
    rig.begin().arrive(answer(ends=False))
    assert rig.found == (1, 0, 0, 1)
    clock.expire()  # the body is not wanted, however long the response takes
    rig.arrive(DataFrame(1, b"no", flags=["END_STREAM"]).serialize())
    assert (rig.outcomes, rig.bodies, rig.found, rig.connection.state) == ([200], 0, (1, 0, 0, 1), IDLE)
    assert rig.transport.written.endswith(resets(1, 0))  # NO_ERROR: without it, the server would wait for the body
    assert (rig.connection.is_reusable(), rig.connection.continue_wait_ns > 0) == (True, True)
    rig.assert_tiled("connect", "send", "receive")
    rig.reuse(EXPECTING).arrive(go_on(3))
    assert (rig.bodies, rig.found) == (1, (2, 1, 0, 1))


def test_100_and_a_whole_answer_at_once_leave_nothing_to_send(rig: ExpectingRig) -> None:
    rig.begin().arrive(go_on() + answer())
    assert (rig.outcomes, rig.bodies, rig.found) == ([200], 0, (1, 1, 0, 0))
    assert rig.transport.written.endswith(resets(1, 0))
    rig.assert_tiled("connect", "send", "receive")


def test_100_and_the_begin_of_an_answer_at_once(rig: ExpectingRig) -> None:
    rig.begin().arrive(go_on() + answer(ends=False))
    assert (rig.outcomes, rig.bodies, rig.found) == ([], 1, (1, 1, 0, 0))


def test_each_stream_waits_for_itself(clock: TimedClock) -> None:
    rig = ExpectingRig(clock, ContinueCounts(), streams=4).begin()
    assert (rig.bodies, rig.found) == (0, (4, 0, 0, 0))
    rig.arrive(go_on(5))
    assert (rig.bodies, rig.found) == (1, (4, 1, 0, 0))
    rig.arrive(answer(1))  # refused
    rig.arrive(answer(5))
    rig.arrive(resets(3, 8))
    assert [(index, outcome) for index, outcome, _ in rig.reports] == [(0, 200), (2, 200), (1, -ErrorKind.HTTP2_RESET)]
    assert all(waited_ns > 0 for _, _, waited_ns in rig.reports)
    clock.expire()
    assert (rig.bodies, rig.found) == (2, (4, 1, 1, 1))
    rig.arrive(answer(7))
    assert (rig.outcomes[-1], rig.connection.state, clock.limit_ns) == (200, IDLE, 0)


def test_requests_without_a_body_do_not_wait(rig: ExpectingRig, clock: TimedClock) -> None:
    rig.begin(GET).arrive(answer())
    assert (rig.outcomes, rig.found, clock.limit_ns) == ([200], (0, 0, 0, 0), 0)
    assert rig.connection.continue_wait_ns == ABSENT


@pytest.mark.parametrize("goes_away", [False, True])
def test_a_connection_that_ends_while_bodies_wait(clock: TimedClock, goes_away: bool) -> None:
    rig = ExpectingRig(clock, ContinueCounts(), streams=2).begin()
    if goes_away:
        rig.arrive(GoAwayFrame(0, 1).serialize())
        assert rig.outcomes == [-ErrorKind.HTTP2_GOAWAY]
    rig.arrive(EOF)
    assert (len(rig.outcomes), rig.bodies, rig.found, clock.limit_ns) == (2, 0, (2, 0, 0, 0), 0)
    assert (rig.connection.state, rig.connection.ending.closed_by) == (CLOSED, ClosedBy.SERVER)
    assert all(waited_ns > 0 for _, _, waited_ns in rig.reports)


@pytest.mark.parametrize("reused", [False, True])
def test_an_end_behind_100_alone(rig: ExpectingRig, reused: bool) -> None:
    """As in HTTP/1.1."""
    rig.begin()
    if reused:
        rig.arrive(answer()).connection.exchange(EXPECTING)
    rig.arrive(go_on(3 if reused else 1)).arrive(EOF)
    rig.assert_failed(ErrorKind.CLOSED_WITHOUT_RESPONSE, ClosedBy.SERVER)
    assert rig.connection.ending is Ending.SERVER_UNANSWERED


def test_one_that_is_given_up_while_it_waits(rig: ExpectingRig, clock: TimedClock) -> None:
    rig.begin()
    rig.connection.expire()
    assert rig.outcomes == [-ErrorKind.RESPONSE_TIMEOUT]
    assert (rig.transport.written.endswith(resets(1, 8)), rig.connection.continue_wait_ns > 0) == (True, True)
    if clock.limit_ns:
        clock.expire()
    assert (rig.bodies, rig.found) == (0, (1, 0, 0, 0))


class Declined(ExpectingRig):
    """The server took HTTP/1.1 by ALPN."""

    def begin(self, request: StreamRequest = EXPECTING) -> Declined:
        self.transport.alpn = "http/1.1"  # type: ignore[attr-defined] # as that of TLS has
        self.open(request)
        return self


CONTINUES, REFUSES = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 417 X\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("pieces", [(CONTINUES,), (CONTINUES[:9], CONTINUES[9:])])
def test_a_server_that_declined_http2_is_waited_for_as_well(clock: TimedClock, pieces: tuple[bytes, ...]) -> None:
    rig = Declined(clock, ContinueCounts()).begin()
    assert (rig.transport.written, rig.found) == (HEAD, (1, 0, 0, 0))
    for piece in pieces:
        rig.arrive(piece)
    assert (rig.transport.written, rig.found) == (HEAD + b"hello", (1, 1, 0, 0))
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.is_reusable(), rig.connection.bytes_sent) == ([200], True, len(HEAD) + 5)
    assert rig.connection.bytes_received == len(CONTINUES) + len(RESPONSE)
    rig.assert_tiled("connect", "send", "wait", "receive")
    rig.reuse(EXPECTING)
    clock.expire()  # the first one's time
    clock.expire()
    assert (rig.transport.written, rig.found) == ((HEAD + b"hello") * 2, (2, 1, 1, 0))


def test_a_server_that_declined_http2_may_refuse_the_body(clock: TimedClock) -> None:
    rig = Declined(clock, ContinueCounts()).begin().arrive(REFUSES)
    assert (rig.outcomes, rig.transport.written, rig.found) == ([417], HEAD, (1, 0, 0, 1))
    # What came next would be taken for the body.
    assert (rig.connection.is_reusable(), rig.connection.bytes_sent) == (False, len(HEAD))
