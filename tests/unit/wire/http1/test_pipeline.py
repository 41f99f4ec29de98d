"""Several requests in flight on one connection: order, phases that tile each one's time, what a close leaves behind."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import Leniency
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.http1.pipeline import Pipeline
from loadgen.wire.lifecycle import CLOSED, IDLE
from loadgen.wire.transport import READ, WRITE
from tests.support.connections import (
    CLOSING,
    EOF,
    REQUEST,
    RESPONSE,
    TIMEOUT,
    UNTIL_CLOSE,
    Clock,
    Rig,
    exchange_phases,
    reset,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe\r\n\r\r\n0\r\nX: y\r\n\r\n"
HEAD_ONLY = b"HTTP/1.1 204 No Content\r\n\r\n"
KINDS = {"length": RESPONSE, "chunked": CHUNKED, "no body": HEAD_ONLY}


class PipelineRig(Rig):
    """Keeps the report of each exchange; fills the pipeline when it is ready."""

    connection: Pipeline

    def __init__(self, clock: Clock, depth: int) -> None:
        super().__init__(clock, kind=Pipeline)
        self.depth = depth
        self.reports: list[dict[str, Any]] = []
        self.refills = False

    def arrive(self, *items: bytes | Exception) -> PipelineRig:
        """Like a socket: the loop calls back as long as there is something to be read."""
        self.transport.incoming += items
        while self.transport.incoming and not self.transport.closed:
            self.transport.callback()
        return self

    def connection_ready(self, connection: Pipeline) -> None:
        for _ in range(self.depth - 1):
            connection.submit(REQUEST)

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        super().exchange_done(connection, outcome, end_ns)
        send, wait, receive = exchange_phases(connection)
        self.reports.append(
            {
                "request_index": connection.request_index, "queue": connection.queue_ns,
                "send": send, "wait": wait, "receive": receive,
                "took": end_ns - connection.scheduled_ns, "lag": connection.lag_ns, "own": connection.own_ns,
                "bytes": (connection.bytes_sent, connection.bytes_received),
            }
        )  # fmt: skip
        if self.refills and outcome > 0:
            connection.submit(REQUEST)
            connection.flush()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(clock: Clock, depth: int) -> PipelineRig:
    rig = PipelineRig(clock, depth)
    rig.open()
    return rig


def assert_tiled(rig: PipelineRig) -> None:
    """The reported phases of an exchange and its own work sum to its time; the first one also paid the handshake."""
    assert rig.connection.handshake is not None
    for one in rig.reports:
        handshake = sum(max(phase, 0) for phase in rig.connection.handshake) if one["request_index"] == 0 else 0
        spent = sum(max(one[phase], 0) for phase in ("queue", "send", "wait", "receive"))
        assert one["own"] >= 0
        assert handshake + spent + one["own"] == one["took"]


def test_all_requests_leave_at_once_and_are_answered_in_order(clock: Clock) -> None:
    rig = opened(clock, 3)
    assert rig.transport.written == REQUEST * 3
    assert (rig.connection.in_flight, rig.connection.submitted, rig.connection.busy) == (3, 3, True)
    rig.arrive(RESPONSE, RESPONSE)
    rig.arrive(RESPONSE)
    assert rig.outcomes == [200] * 3
    assert [one["request_index"] for one in rig.reports] == [0, 1, 2]
    assert [one["bytes"] for one in rig.reports] == [(len(REQUEST), len(RESPONSE))] * 3
    assert rig.reports[0]["queue"] == ABSENT
    assert all(one["queue"] > 0 for one in rig.reports[1:])
    assert_tiled(rig)
    assert (rig.connection.state, rig.connection.busy) == (IDLE, False)


@pytest.mark.parametrize("response", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("size_bytes", [1, 2, 3, 7, 50, 100_000])
def test_responses_in_any_fragments(clock: Clock, response: bytes, size_bytes: int) -> None:
    rig = opened(clock, 4)
    stream = response * 4
    for at in range(0, len(stream), size_bytes):
        rig.arrive(stream[at : at + size_bytes])
    assert len(rig.outcomes) == 4
    assert all(outcome > 0 for outcome in rig.outcomes)
    assert rig.connection.in_flight == 0
    assert sum(one["bytes"][1] for one in rig.reports) == len(stream)
    assert_tiled(rig)


def test_wait_ends_at_the_final_response(clock: Clock) -> None:
    rig = opened(clock, 2)
    for _ in range(2):
        rig.arrive(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        clock.now_ns += 1_000_000
        rig.arrive(RESPONSE)
    assert all(one["receive"] < 1_000_000 for one in rig.reports)
    assert_tiled(rig)


def test_a_request_that_follows_an_answer_waits_behind_none(clock: Clock) -> None:
    rig = opened(clock, 1)
    rig.arrive(RESPONSE)
    rig.connection.submit(REQUEST)
    rig.connection.flush()
    rig.arrive(RESPONSE)
    assert [one["queue"] for one in rig.reports] == [ABSENT, ABSENT]
    assert_tiled(rig)


def test_requests_that_do_not_fit_the_buffer_go_out_later(clock: Clock) -> None:
    rig = PipelineRig(clock, 3)
    rig.transport.room_bytes = len(REQUEST) + 5
    rig.open()
    assert rig.transport.watched == READ | WRITE
    rig.transport.room_bytes = 1 << 20
    rig.transport.callback()
    assert rig.transport.written == REQUEST * 3
    assert rig.transport.watched == READ
    rig.arrive(RESPONSE * 3)
    assert rig.outcomes == [200] * 3
    assert_tiled(rig)


@pytest.mark.parametrize(("end", "first"), [(EOF, "truncated"), (reset(), "truncated")], ids=["fin", "rst"])
def test_a_close_in_mid_response_leaves_the_rest_stale(clock: Clock, end: Any, first: str) -> None:
    rig = opened(clock, 3)
    rig.arrive(RESPONSE, RESPONSE[:10], end)
    kinds = [ErrorKind(-outcome).label for outcome in rig.outcomes[1:]]
    assert (rig.outcomes[0], kinds) == (200, [first, "stale_connection"])
    assert rig.connection.ending in (Ending.SERVER_MID_RESPONSE_FIN, Ending.SERVER_MID_RESPONSE_RST)
    assert_tiled(rig)


def test_a_close_after_a_rest_is_stale(clock: Clock) -> None:
    rig = opened(clock, 1).arrive(RESPONSE)
    rig.connection.submit(REQUEST)
    rig.connection.flush()
    rig.arrive(EOF)
    assert rig.outcomes == [200, -ErrorKind.STALE_CONNECTION]
    assert rig.connection.ending is Ending.SERVER_STALE


def test_a_close_before_any_response(clock: Clock) -> None:
    rig = opened(clock, 3).arrive(EOF)
    kinds = [ErrorKind(-outcome) for outcome in rig.outcomes]
    assert kinds == [ErrorKind.CLOSED_WITHOUT_RESPONSE] + [ErrorKind.STALE_CONNECTION] * 2
    assert_tiled(rig)


def test_an_announced_close_ends_those_behind_at_once(clock: Clock) -> None:
    rig = opened(clock, 3).arrive(RESPONSE, CLOSING)
    assert rig.outcomes == [200, 200, -ErrorKind.STALE_CONNECTION]
    assert (rig.connection.state, rig.connection.ending) == (CLOSED, Ending.SERVER_ANNOUNCED)
    assert rig.transport.closed


def test_a_body_until_close_is_the_last_answer(clock: Clock) -> None:
    rig = opened(clock, 2).arrive(UNTIL_CLOSE)
    rig.arrive(EOF)
    assert rig.outcomes == [200, -ErrorKind.STALE_CONNECTION]


def test_a_deadline_ends_all_in_flight(clock: Clock) -> None:
    rig = opened(clock, 3)
    rig.connection.expire()
    # One of them waited too long; the others were behind it.
    assert rig.outcomes == [-ErrorKind.RESPONSE_TIMEOUT, -ErrorKind.PIPELINE_DROPPED, -ErrorKind.PIPELINE_DROPPED]
    assert rig.connection.ending is Ending.CLIENT_GAVE_UP
    assert_tiled(rig)


def test_a_connection_that_does_not_open_is_one_failure(clock: Clock) -> None:
    rig = PipelineRig(clock, 3)
    rig.transport.steps = [ConnectionRefusedError(111, "Connection refused")]
    rig.connection.open(REQUEST)
    rig.transport.callback()
    assert rig.outcomes == [-ErrorKind.CONNECT_REFUSED]
    assert rig.connection.ending is Ending.NOT_OPENED


def test_a_response_that_comes_before_its_request_is_malformed(clock: Clock) -> None:
    rig = opened(clock, 1)
    rig.refills = True
    rig.arrive(RESPONSE * 2)  # the second one cannot be the answer to what is sent because of the first
    assert rig.outcomes == [200, -ErrorKind.MALFORMED]
    assert rig.connection.ending is Ending.CLIENT_GAVE_UP
    assert_tiled(rig)


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_timeout_that_crosses_requests(clock: Clock, in_flight: int) -> None:
    """The server has ended the connection: none of those in flight is answered."""
    rig = opened(clock, 1).arrive(RESPONSE)
    for _ in range(in_flight):
        rig.connection.submit(REQUEST)
    rig.connection.flush()
    rig.arrive(TIMEOUT)
    assert rig.outcomes == [200, -ErrorKind.CROSSED_BY_CLOSE, *[-ErrorKind.STALE_CONNECTION] * (in_flight - 1)]
    assert (rig.connection.ending, rig.connection.idle_status) == (Ending.SERVER_IDLE_RESPONSE, 408)
    assert_tiled(rig)


def test_a_timeout_behind_a_response_crosses_what_is_sent_because_of_that(clock: Clock) -> None:
    rig = opened(clock, 1)
    rig.refills = True
    rig.arrive(RESPONSE + TIMEOUT)
    assert rig.outcomes == [200, -ErrorKind.CROSSED_BY_CLOSE]
    assert rig.connection.ending is Ending.SERVER_IDLE_RESPONSE


def test_a_timeout_without_a_request_ends_the_connection(clock: Clock) -> None:
    rig = opened(clock, 1).arrive(RESPONSE + TIMEOUT)
    assert (rig.losses, rig.outcomes) == (1, [200])
    assert (rig.connection.ending, rig.connection.idle_status) == (Ending.SERVER_IDLE_RESPONSE, 408)


def test_an_error_of_the_listeners_is_not_taken_for_the_networks(clock: Clock) -> None:
    rig = opened(clock, 2)
    rig.listener_error = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        rig.arrive(RESPONSE)
    assert rig.connection.state != CLOSED


def test_lag_is_the_sum_over_an_exchanges_events(clock: Clock) -> None:
    rig = opened(clock, 1)
    opening_ns = rig.connection.lag_ns
    assert opening_ns > 0
    rig.arrive(RESPONSE[:5])
    first_ns = rig.connection.lag_ns
    rig.arrive(RESPONSE[5:])
    assert rig.reports[0]["lag"] > first_ns > opening_ns


def test_long_requests_are_sent_piece_by_piece(clock: Clock) -> None:
    long = b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    rig = PipelineRig(clock, 1)
    rig.transport.room_bytes = 70_000
    rig.connection.open(long)
    rig.transport.callback()
    rig.connection.submit(long)
    rig.connection.flush()
    while len(rig.transport.written) < 2 * len(long):
        assert rig.transport.watched == READ | WRITE
        rig.transport.room_bytes = 70_000
        rig.transport.callback()
    assert rig.transport.written == long * 2
    rig.arrive(RESPONSE * 2)
    assert [one["bytes"][0] for one in rig.reports] == [len(long)] * 2
    assert_tiled(rig)


def test_a_request_of_another_length_leaves_the_connection_reusable(clock: Clock) -> None:
    rig = opened(clock, 1).arrive(RESPONSE)
    rig.connection.submit(REQUEST.replace(b"\r\n\r\n", b"\r\nCookie: a=b\r\n\r\n"))
    rig.connection.flush()
    rig.arrive(RESPONSE)
    assert rig.connection.is_reusable()


def test_an_idle_pipeline_is_lost_like_any_connection(clock: Clock) -> None:
    rig = opened(clock, 2).arrive(RESPONSE * 2)
    rig.arrive(EOF)
    assert (rig.losses, rig.outcomes, rig.connection.ending) == (1, [200, 200], Ending.SERVER_IDLE_FIN)


@pytest.mark.parametrize("name", KINDS)
def test_empty_lines_between_responses_are_noted_and_no_more(clock: Clock, name: str) -> None:
    response = KINDS[name]
    rig = opened(clock, 3).arrive(response + b"\r\n" + response + b"\r\n", b"\r\n" + response, b"\n")
    assert (rig.losses, rig.outcomes, rig.reader.notes) == (0, [rig.outcomes[0]] * 3, Leniency.EMPTY_LINE)
    assert rig.connection.is_reusable()


def test_bytes_behind_the_last_answer_are_kept(clock: Clock) -> None:
    rig = opened(clock, 1).arrive(HEAD_ONLY + b"\r\nhello")
    assert (rig.losses, rig.outcomes, rig.reader.extra) == (1, [204], b"hello")


def test_an_answer_too_many_ends_the_connection(clock: Clock) -> None:
    rig = opened(clock, 2).arrive(RESPONSE * 3)
    assert (rig.losses, rig.outcomes, rig.connection.ending) == (1, [200, 200], Ending.CLIENT_GAVE_UP)
