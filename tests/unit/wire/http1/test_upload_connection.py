"""Uploads over a fake transport: the body waits for 100 Continue, goes in pieces, and the phases add up."""

from __future__ import annotations

from functools import partial

import pytest

from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ClosedBy
from loadgen.wire.errors import Failure
from loadgen.wire.http1.upload import Upload
from loadgen.wire.http1.upload_connection import UploadConnection
from loadgen.wire.lifecycle import CLOSED, IDLE, RECEIVING, SENDING, WAITING
from loadgen.wire.transport import READ, READ_SIZE, WRITE
from tests.support.connections import CLOSING, EOF, REQUEST, RESPONSE, Rig, TimedClock, broken_pipe

HEAD = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
EXPECTING = Upload(HEAD, b"hello", expects=True)


@pytest.fixture
def clock() -> TimedClock:
    return TimedClock()


@pytest.fixture
def counts() -> ContinueCounts:
    return ContinueCounts()


@pytest.fixture
def rig(clock: TimedClock, counts: ContinueCounts) -> Rig:
    return Rig(clock, kind=partial(UploadConnection, continue_timeout_s=1.0, counts=counts))


def of(counts: ContinueCounts) -> tuple[int, int, int, int]:
    found = counts.take()
    return found["asked"], found["received"], found["timed_out"], found["refused"]


def expect(rig: Rig) -> Rig:
    """Send the head of an upload that expects."""
    return rig.open(EXPECTING)


@pytest.mark.parametrize("pieces", [(GO_ON,), (GO_ON[:9], GO_ON[9:]), (b"HTTP/1.1 103 Early Hints\r\n\r\n" + GO_ON,)])
def test_the_body_waits_for_100(rig: Rig, clock: TimedClock, counts: ContinueCounts, pieces: tuple[bytes, ...]) -> None:
    expect(rig)
    assert (rig.transport.written, rig.connection.state, rig.transport.watched) == (HEAD, SENDING, READ)
    waits_from_ns = clock.now_ns
    for piece in pieces:
        rig.arrive(piece)
    assert (rig.transport.written, rig.connection.state) == (HEAD + b"hello", WAITING)
    assert 0 < rig.connection.continue_wait_ns <= clock.now_ns - waits_from_ns
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.state, rig.connection.is_reusable()) == ([200], IDLE, True)
    assert rig.connection.bytes_received == sum(map(len, pieces)) + len(RESPONSE)
    assert rig.connection.continue_wait_ns < rig.phases["send"]
    rig.assert_tiled("connect", "send", "wait", "receive")
    assert of(counts) == (1, 1, 0, 0)
    assert clock.limit_ns == 0


def test_the_body_goes_once_it_has_waited_for_long_enough(rig: Rig, clock: TimedClock, counts: ContinueCounts) -> None:
    expect(rig)
    clock.expire()
    assert (rig.transport.written, rig.connection.state) == (HEAD + b"hello", WAITING)
    assert rig.connection.continue_wait_ns >= 10**9
    rig.arrive(GO_ON)  # too late: neither a response nor a permission
    assert (rig.connection.state, rig.transport.written) == (WAITING, HEAD + b"hello")
    rig.arrive(RESPONSE)
    rig.assert_tiled("connect", "send", "wait", "receive")
    assert (rig.outcomes, of(counts)) == ([200], (1, 0, 1, 0))


@pytest.mark.parametrize("pieces", [(REFUSAL,), (REFUSAL[:10], REFUSAL[10:]), (GO_ON[:8] + REFUSAL[8:],)])
def test_a_final_response_in_place_of_100_ends_it(rig: Rig, counts: ContinueCounts, pieces: tuple[bytes, ...]) -> None:
    expect(rig)
    for piece in pieces:
        rig.arrive(piece)
    assert (rig.outcomes, rig.transport.written, rig.connection.state) == ([417], HEAD, IDLE)
    # The body that the head promised was not sent, so what came next would be taken for it.
    assert (rig.connection.is_reusable(), rig.connection.framed) == (False, False)
    assert rig.connection.continue_wait_ns > 0
    assert rig.connection.bytes_sent == len(HEAD)
    rig.assert_tiled("connect", "send", "receive")
    assert of(counts) == (1, 0, 0, 1)


def test_what_the_server_answers_at_once_is_read_too(rig: Rig, counts: ContinueCounts) -> None:
    expect(rig).arrive(GO_ON + RESPONSE)
    assert (rig.outcomes, rig.transport.written, of(counts)) == ([200], HEAD + b"hello", (1, 1, 0, 0))
    assert rig.connection.is_reusable()
    rig.assert_tiled("connect", "send", "receive")  # the answer was there before the body was sent


def test_an_answer_in_the_turn_that_sent_the_body_was_waited_for(rig: Rig, counts: ContinueCounts) -> None:
    expect(rig).arrive(GO_ON, RESPONSE)
    assert (rig.outcomes, rig.transport.written, of(counts)) == ([200], HEAD + b"hello", (1, 1, 0, 0))
    assert rig.phases["wait"] > 0
    assert rig.phases["receive"] >= 0
    assert sum(rig.phases.values()) + rig.connection.own_ns == rig.end_ns - rig.connection.scheduled_ns


def test_a_close_while_the_body_waits(rig: Rig, clock: TimedClock, counts: ContinueCounts) -> None:
    expect(rig).arrive(EOF)
    rig.assert_failed(ErrorKind.SEND_FAILED, ClosedBy.SERVER)
    assert (rig.connection.continue_wait_ns > 0, of(counts), clock.limit_ns) == (True, (1, 0, 0, 0), 0)
    assert rig.connection.state == CLOSED


@pytest.mark.parametrize("reused", [False, True])
def test_an_end_behind_100_cuts_no_message_short(rig: Rig, reused: bool) -> None:
    """One kind with and without an expectation; and nothing stale, for the server had the request."""
    expect(rig).arrive(GO_ON)
    if reused:
        rig.arrive(RESPONSE).reuse(EXPECTING).arrive(GO_ON)
    rig.arrive(EOF)
    rig.assert_failed(ErrorKind.CLOSED_WITHOUT_RESPONSE, ClosedBy.SERVER)


def test_an_end_within_an_interim_response(rig: Rig) -> None:
    expect(rig).arrive(GO_ON[:12], EOF)
    rig.assert_failed(ErrorKind.TRUNCATED, ClosedBy.SERVER)


def test_each_exchange_waits_anew(rig: Rig, counts: ContinueCounts) -> None:
    expect(rig).arrive(GO_ON).arrive(RESPONSE).reuse(REQUEST)
    assert (rig.connection.continue_wait_ns, rig.connection.state) == (ABSENT, WAITING)
    rig.arrive(RESPONSE).reuse(EXPECTING)
    assert rig.transport.written.endswith(HEAD)
    rig.arrive(GO_ON).arrive(RESPONSE)
    assert (rig.outcomes, of(counts)) == ([200, 200, 200], (2, 2, 0, 0))


def test_a_head_that_does_not_fit_waits_for_room(rig: Rig, counts: ContinueCounts) -> None:
    rig.transport.room_bytes = 7
    expect(rig)
    assert (rig.transport.written, rig.transport.watched) == (HEAD[:7], READ | WRITE)
    rig.transport.room_bytes = 1 << 20
    rig.transport.callback()
    assert (rig.transport.written, rig.transport.watched, of(counts)) == (HEAD, READ, (1, 0, 0, 0))


def test_a_long_body_goes_in_pieces_and_leaves_others_their_turn(rig: Rig) -> None:
    body = bytes(range(256)) * (20 * READ_SIZE // 256)
    rig.open(Upload(b"head", body))
    assert (len(rig.transport.written), rig.transport.watched) == (16 * READ_SIZE, READ | WRITE)
    rig.transport.callback()
    assert (rig.transport.written, rig.connection.state, rig.transport.watched) == (b"head" + body, WAITING, READ)
    rig.arrive(RESPONSE)
    assert rig.connection.is_reusable()
    rig.assert_tiled("connect", "send", "wait", "receive")


def test_a_response_before_the_body_is_sent_is_read(rig: Rig) -> None:
    rig.transport.room_bytes = 10
    rig.open(Upload(b"head", b"x" * 1000)).arrive(CLOSING)
    assert (rig.outcomes, rig.connection.is_reusable(), rig.connection.bytes_sent) == ([200], False, 10)


def test_a_server_that_takes_no_more_may_have_said_why(rig: Rig) -> None:
    rig.transport.send_error = broken_pipe()
    rig.open(Upload(b"head", b"x"))
    assert (rig.connection.state, rig.transport.watched) == (SENDING, READ)
    rig.arrive(RESPONSE[:4])
    assert rig.connection.state == RECEIVING


class Broken:
    """A body whose file has lost its end."""

    def __len__(self) -> int:
        return 3 * READ_SIZE

    def __getitem__(self, piece: slice) -> bytes:
        if piece.stop > READ_SIZE:
            raise Failure(ErrorKind.BODY_UNREADABLE, "f has become shorter than it was")
        return b"x" * (piece.stop - piece.start)


def test_a_file_that_can_not_be_read_to_its_end_ends_the_exchange(rig: Rig) -> None:
    rig.open(Upload(b"", Broken()))
    rig.assert_failed(ErrorKind.BODY_UNREADABLE, ClosedBy.CLIENT)
    assert (rig.connection.failure, rig.connection.bytes_sent) == ("f has become shorter than it was", READ_SIZE)


def test_what_the_kernel_takes_in_part_goes_on_where_it_stopped(rig: Rig) -> None:
    body = bytes(range(256)) * 1024
    rig.transport.room_bytes = 100_001
    rig.open(Upload(b"head", body))
    assert rig.transport.watched == READ | WRITE
    rig.transport.room_bytes = 7
    rig.transport.callback()
    rig.transport.room_bytes = 1 << 30
    rig.transport.callback()
    assert (rig.transport.written, rig.connection.state) == (b"head" + body, WAITING)
