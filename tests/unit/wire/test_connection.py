"""One connection over a fake transport: phases add up, outcomes are named rightly, nothing is retried or hidden."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import Leniency
from loadgen.model.records import ABSENT, ClosedBy, ConnectionFlag, Ending
from loadgen.wire import route_addresses
from loadgen.wire.connection import Connection
from loadgen.wire.connection_setup import ConnectionSetup
from loadgen.wire.errors import TlsFailure
from loadgen.wire.lifecycle import (
    CLOSED,
    CONNECTING,
    HANDSHAKING,
    IDLE,
    RECEIVING,
    RESOLVING,
    SENDING,
    WAITING,
    IllegalTransition,
    State,
)
from loadgen.wire.transport import NOTHING, READ, READ_SIZE, WRITE, Step
from tests.support.connections import (
    ADDRESS,
    CLOSING,
    EOF,
    REFUSAL,
    REQUEST,
    RESPONSE,
    TIMEOUT,
    UNTIL_CLOSE,
    Clock,
    Rig,
    broken_pipe,
    exchange_phases,
    reset,
)

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(clock: Clock) -> Rig:
    return Rig(clock)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> list[tuple[str, int, Callable[[Any], None]]]:
    """Makes the rig's route unresolved; holds what was asked for."""
    asked: list[tuple[str, int, Callable[[Any], None]]] = []
    monkeypatch.setattr(route_addresses, "resolve", lambda *args: asked.append(args))
    rig.route.addresses.clear()
    return asked


def in_state(rig: Rig, state: State) -> Rig:
    """Bring an exchange so far that it is in `state`."""
    connection, transport = rig.connection, rig.transport
    if state is CONNECTING:
        connection.open(REQUEST, 0)
    elif state is HANDSHAKING:
        transport.steps = [Step.BEGIN_TLS, Step.WANT_READ]
        connection.open(REQUEST, 0)
        transport.callback()
    else:
        if state is SENDING:
            transport.room_bytes = 3
        rig.open()
        if state is RECEIVING:
            rig.arrive(RESPONSE[:9])
        elif state is IDLE:
            rig.arrive(RESPONSE)
    assert connection.state == state
    return rig


# Opening


def test_a_new_connection_connects_sends_and_receives(rig: Rig) -> None:
    rig.open()
    assert (rig.transport.connected_to, rig.transport.written) == (ADDRESS, REQUEST)
    assert (rig.connection.state, rig.transport.watched, rig.outcomes) == (WAITING, READ, [])
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.state, rig.connection.is_reusable()) == ([200], IDLE, True)
    assert (rig.connection.bytes_sent, rig.connection.bytes_received) == (len(REQUEST), len(RESPONSE))
    assert (rig.connection.request_index, rig.connection.flags) == (0, ConnectionFlag.ESTABLISHED)
    assert (rig.connection.ending.closed_by, rig.connection.busy, rig.transport.closed) == (
        ClosedBy.CLIENT,
        False,
        False,
    )
    rig.assert_tiled("connect", "send", "wait", "receive")


@pytest.mark.parametrize(
    ("steps", "resumed", "flags"),
    [
        ([Step.BEGIN_TLS, Step.OPEN], False, ConnectionFlag.TLS),
        ([Step.BEGIN_TLS, Step.WANT_READ, Step.WANT_WRITE, Step.WANT_READ, Step.OPEN], False, ConnectionFlag.TLS),
        ([Step.BEGIN_TLS, Step.WANT_READ, Step.OPEN], True, ConnectionFlag.TLS | ConnectionFlag.TLS_RESUMED),
    ],
)
def test_tls_is_a_phase_of_its_own(rig: Rig, steps: list[Any], resumed: bool, flags: int) -> None:
    rig.transport.steps, rig.transport.resumed = steps, resumed
    rig.open().arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.flags) == ([200], ConnectionFlag.ESTABLISHED | flags)
    rig.assert_tiled("connect", "tls", "send", "wait", "receive")


@pytest.mark.parametrize(("step", "watched"), [(Step.WANT_READ, READ), (Step.WANT_WRITE, WRITE)])
def test_the_handshake_waits_for_what_tls_wants(rig: Rig, step: Step, watched: int) -> None:
    rig.transport.steps = [Step.BEGIN_TLS, step]
    rig.open()
    assert (rig.connection.state, rig.transport.watched, rig.transport.written) == (HANDSHAKING, watched, b"")


def test_a_name_is_resolved_once(rig: Rig, resolver: list[Any]) -> None:
    rig.connection.open(REQUEST, 0)
    ((host, port, on_resolved, _),) = resolver
    assert isinstance(on_resolved.__self__, ConnectionSetup)
    assert (host, port, rig.connection.state, rig.transport.connected_to) == ("h", 81, RESOLVING, None)
    other = (2, ("192.0.2.2", 81))
    on_resolved([ADDRESS, other])
    assert (rig.transport.connected_to, rig.route.addresses) == (ADDRESS, [ADDRESS, other])
    rig.transport.callback()
    rig.arrive(RESPONSE)
    rig.assert_tiled("dns", "connect", "send", "wait", "receive")


def test_a_name_that_can_not_be_resolved(rig: Rig, resolver: list[Any]) -> None:
    rig.connection.open(REQUEST, 0)
    resolver[0][2](OSError(-2, "Name or service not known"))
    rig.assert_failed(ErrorKind.DNS_FAILED, ClosedBy.CLIENT)
    assert rig.connection.failure == "Name or service not known"
    assert rig.route.addresses == []
    rig.assert_tiled("dns")


def test_an_address_that_comes_too_late_is_dropped(rig: Rig, resolver: list[Any]) -> None:
    rig.connection.open(REQUEST, 0)
    rig.connection.expire()
    rig.assert_failed(ErrorKind.DNS_FAILED, ClosedBy.CLIENT)
    rig.assert_tiled("dns")
    resolver[0][2]([ADDRESS])
    assert (rig.connection.state, len(rig.outcomes), rig.transport.connected_to) == (CLOSED, 1, None)


CONNECT_ERRORS = [
    (errno.ECONNREFUSED, ErrorKind.CONNECT_REFUSED),
    (errno.ENETUNREACH, ErrorKind.CONNECT_UNREACHABLE),
    (errno.EHOSTUNREACH, ErrorKind.CONNECT_UNREACHABLE),
    (errno.ETIMEDOUT, ErrorKind.CONNECT_TIMEOUT),
    (errno.EADDRNOTAVAIL, ErrorKind.NO_LOCAL_PORT),
    (errno.EMFILE, ErrorKind.NO_FILE_DESCRIPTOR),
    (errno.ENFILE, ErrorKind.NO_FILE_DESCRIPTOR),
    (errno.EACCES, ErrorKind.CONNECT_FAILED),
]


@pytest.mark.parametrize(("number", "kind"), CONNECT_ERRORS, ids=lambda value: getattr(value, "name", None))
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
def test_a_connection_that_does_not_come_about(rig: Rig, number: int, kind: ErrorKind, at_once: bool) -> None:
    error = OSError(number, "no way")
    if at_once:
        rig.transport.connect_error = error
    else:
        rig.transport.steps = [error]
    rig.open()
    rig.assert_failed(kind, ClosedBy.CLIENT)
    assert (rig.connection.flags, rig.connection.failure, rig.connection.bytes_sent) == (0, "no way", 0)
    rig.assert_tiled("connect")


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EPIPE])
def test_a_connection_that_is_accepted_and_reset_at_once_was_opened(rig: Rig, number: int) -> None:
    rig.transport.steps = [OSError(number, "reset")]
    rig.open()
    rig.assert_failed(ErrorKind.CLOSED_WITHOUT_RESPONSE, ClosedBy.SERVER)
    assert (rig.connection.flags, rig.connection.failure) == (ConnectionFlag.ESTABLISHED, "reset")
    assert rig.connection.ending is Ending.SERVER_UNANSWERED


@pytest.mark.parametrize("steps", [[], [Step.BEGIN_TLS, Step.WANT_READ]], ids=["before it", "in it"])
def test_a_handshake_that_the_server_ends(rig: Rig, steps: list[Step | Exception]) -> None:
    rig.transport.steps = [*steps, TlsFailure(ErrorKind.TLS_FAILED, "why", by_peer=True)]
    rig.open()
    rig.assert_failed(ErrorKind.TLS_FAILED, ClosedBy.SERVER)
    assert (rig.connection.flags, rig.connection.ending) == (ConnectionFlag.ESTABLISHED, Ending.SERVER_UNANSWERED)


@pytest.mark.parametrize("kind", [ErrorKind.TLS_UNTRUSTED, ErrorKind.TLS_WRONG_NAME, ErrorKind.TLS_FAILED])
def test_a_tls_failure_keeps_its_kind(rig: Rig, kind: ErrorKind) -> None:
    rig.transport.steps = [Step.BEGIN_TLS, Step.WANT_READ, TlsFailure(kind, "why")]
    rig.open()
    rig.assert_failed(kind, ClosedBy.CLIENT)
    assert (rig.connection.failure, rig.connection.flags) == ("why", ConnectionFlag.ESTABLISHED)
    rig.assert_tiled("connect", "tls")


def test_a_reset_in_the_handshake_is_the_servers(rig: Rig) -> None:
    rig.transport.steps = [Step.BEGIN_TLS, Step.WANT_READ, reset()]
    rig.open()
    rig.assert_failed(ErrorKind.TLS_FAILED, ClosedBy.SERVER)
    rig.assert_tiled("connect", "tls")


def test_tcp_was_up_even_if_the_first_step_of_tls_failed(rig: Rig) -> None:
    rig.transport.steps = [Step.BEGIN_TLS, TlsFailure(ErrorKind.TLS_FAILED, "why")]
    rig.open()
    assert rig.connection.flags == ConnectionFlag.ESTABLISHED


def test_a_time_fixed_beforehand_and_a_session_are_passed_on(rig: Rig) -> None:
    session = object()
    rig.clock.runs = False
    begun_ns = rig.clock.now_ns
    rig.making_ns = 7
    rig.connection.open(REQUEST, 17, session)
    assert (rig.connection.scheduled_ns, rig.sessions) == (17, [session])
    assert rig.connection.opened_ns == begun_ns
    # Making the transport is the generator's own work; `connect` begins with the system call.
    assert rig.connection.entered_ns(CONNECTING) == rig.clock.now_ns == begun_ns + rig.connection.own_ns


# Exchanging


def test_a_reused_connection_pays_no_handshake(rig: Rig) -> None:
    rig.open().arrive(RESPONSE)
    handshake = rig.connection.handshake
    for request_index in (1, 2, 3):
        rig.reuse()
        assert (rig.connection.request_index, rig.connection.bytes_received, rig.connection.state) == (
            request_index,
            0,
            WAITING,
        )
        rig.arrive(RESPONSE)
        rig.assert_tiled("send", "wait", "receive")
    assert rig.outcomes == [200] * 4
    assert rig.transport.written == REQUEST * 4
    assert rig.connection.handshake == handshake
    assert len(rig.sessions) == 1


def test_a_listener_may_send_the_next_request_at_once(rig: Rig) -> None:
    done = rig.exchange_done

    def go_on(connection: Connection, outcome: int, end_ns: int) -> None:
        done(connection, outcome, end_ns)
        if len(rig.outcomes) < 3:
            connection.exchange(REQUEST)

    rig.exchange_done = go_on  # type: ignore[method-assign]
    rig.open().arrive(RESPONSE).arrive(RESPONSE).arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.request_index, rig.connection.state) == ([200] * 3, 2, IDLE)


@pytest.mark.parametrize("size_bytes", [1, 7, 1000])
def test_a_response_may_come_in_any_pieces(rig: Rig, size_bytes: int) -> None:
    rig.open()
    for at in range(0, len(RESPONSE), size_bytes):
        assert rig.outcomes == []
        rig.arrive(RESPONSE[at : at + size_bytes])
    assert (rig.outcomes, rig.connection.bytes_received, rig.connection.is_reusable()) == ([200], len(RESPONSE), True)
    rig.assert_tiled("connect", "send", "wait", "receive")


def test_interim_responses_are_no_outcome(rig: Rig) -> None:
    interim = EARLY_HINTS
    rig.open().arrive(interim)
    assert (rig.outcomes, rig.connection.state) == ([], WAITING)
    rig.arrive(interim + RESPONSE)
    assert (rig.outcomes, rig.reader.interim) == ([200], 2)
    assert rig.connection.bytes_received == len(interim * 2 + RESPONSE)


@pytest.mark.parametrize("pieces", [(EARLY_HINTS,), (EARLY_HINTS[:9], EARLY_HINTS[9:]), (EARLY_HINTS, EARLY_HINTS)])
def test_wait_ends_at_the_final_response(rig: Rig, pieces: tuple[bytes, ...]) -> None:
    """As in HTTP/2: what a server needs for its response lies behind its early hints."""
    rig.open()
    for piece in pieces:
        rig.arrive(piece)
    rig.clock.now_ns += 1_000_000
    rig.arrive(RESPONSE[:5])
    rig.clock.now_ns += 50_000
    rig.arrive(RESPONSE[5:])
    rig.assert_tiled("connect", "send", "wait", "receive")
    assert rig.phases["wait"] > 1_000_000
    assert 50_000 < rig.phases["receive"] < 100_000


def test_an_interim_response_before_the_request_is_sent_ends_no_phase(rig: Rig) -> None:
    rig.transport.room_bytes = 10
    rig.open().arrive(EARLY_HINTS)
    assert rig.connection.state == SENDING
    rig.clock.now_ns += 1_000_000
    rig.transport.room_bytes = 1 << 30
    rig.transport.callback()
    assert rig.connection.state == WAITING
    rig.arrive(RESPONSE)
    rig.assert_tiled("connect", "send", "wait", "receive")
    assert rig.phases["send"] > 1_000_000


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("end", [EOF, reset()])
def test_an_end_behind_an_interim_response_cuts_no_message_short(rig: Rig, reused: bool, end: Any) -> None:
    """Nor was the connection idle as it ended: the server had the request."""
    rig.open()
    if reused:
        rig.arrive(RESPONSE).reuse()
    rig.arrive(EARLY_HINTS, end)
    rig.assert_failed(ErrorKind.CLOSED_WITHOUT_RESPONSE, ClosedBy.SERVER)
    assert rig.connection.ending is Ending.SERVER_UNANSWERED


def test_an_end_within_the_response_behind_an_interim_one(rig: Rig) -> None:
    rig.open().arrive(b"HTTP/1.1 103 Early Hints\r\n\r\nHTT", EOF)
    rig.assert_failed(ErrorKind.TRUNCATED, ClosedBy.SERVER)


@pytest.mark.parametrize(
    ("response", "reusable"),
    [
        pytest.param(RESPONSE, True, id="http/1.1"),
        pytest.param(CLOSING, False, id="close"),
        pytest.param(RESPONSE.replace(b"1.1", b"1.0"), False, id="http/1.0"),
        pytest.param(RESPONSE.replace(b"1.1 200 OK", b"1.0 200 OK\r\nConnection: Keep-Alive"), True, id="keep-alive"),
        pytest.param(RESPONSE + b"x", False, id="extra bytes"),
        pytest.param(RESPONSE + RESPONSE, False, id="a response too many"),
    ],
)
def test_what_makes_a_connection_fit_for_another_exchange(rig: Rig, response: bytes, reusable: bool) -> None:
    rig.open().arrive(response)
    assert (rig.outcomes, rig.connection.is_reusable()) == ([200], reusable)


@pytest.mark.parametrize("field", [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b""])
def test_a_response_to_head_leaves_the_connection_reusable(rig: Rig, field: bytes) -> None:
    """It ends with its head whatever the fields say (RFC 9112 §6.3), so its end needs no close."""
    rig.reader.no_body = True
    rig.open().arrive(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n")
    assert (rig.outcomes, rig.connection.is_reusable()) == ([200], True)


@pytest.mark.parametrize("together", [True, False])
def test_a_body_until_close_is_complete_at_the_end(rig: Rig, together: bool) -> None:
    rig.open()
    if together:
        rig.arrive(UNTIL_CLOSE, EOF)
    else:
        rig.arrive(UNTIL_CLOSE)
        assert rig.outcomes == []
        rig.arrive(EOF)
    assert (rig.outcomes, rig.reader.body_bytes, rig.connection.is_reusable()) == ([200], 5, False)
    rig.assert_tiled("connect", "send", "wait", "receive")


def test_a_response_before_the_close_counts(rig: Rig) -> None:
    rig.open().arrive(CLOSING, EOF)
    assert (rig.outcomes, rig.connection.is_reusable(), rig.losses) == ([200], False, 0)
    assert rig.connection.peer_has_closed()


# Sending in parts


@pytest.mark.parametrize("room_bytes", [0, 1, 5])
def test_a_request_may_go_out_in_parts(rig: Rig, room_bytes: int) -> None:
    rig.transport.room_bytes = room_bytes
    rig.open()
    assert (rig.connection.state, rig.transport.watched) == (SENDING, READ | WRITE)
    assert (rig.connection.bytes_sent, rig.transport.written) == (room_bytes, REQUEST[:room_bytes])
    rig.transport.callback()  # nothing has changed: neither room nor bytes
    assert (rig.connection.state, rig.connection.bytes_sent) == (SENDING, room_bytes)
    rig.transport.room_bytes = 3
    rig.transport.callback()
    assert (rig.connection.state, rig.connection.bytes_sent) == (SENDING, room_bytes + 3)
    rig.transport.room_bytes = 1000
    rig.transport.callback()
    assert (rig.connection.state, rig.transport.watched, rig.transport.written) == (WAITING, READ, REQUEST)
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.is_reusable()) == ([200], True)
    rig.assert_tiled("connect", "send", "wait", "receive")


def test_a_body_larger_than_one_write_goes_out_whole(rig: Rig) -> None:
    request = REQUEST + bytes(range(256)) * 1000
    rig.transport.room_bytes = 100_000
    rig.open(request)
    rig.transport.room_bytes = 1 << 30
    for _ in range(len(request) // READ_SIZE):
        rig.transport.callback()
    assert (rig.transport.written, rig.connection.state) == (request, WAITING)


def test_a_response_may_come_while_the_request_is_being_sent(rig: Rig) -> None:
    in_state(rig, SENDING).arrive(REFUSAL)
    assert (rig.outcomes, rig.connection.is_reusable(), rig.connection.bytes_sent) == ([413], False, 3)
    rig.assert_tiled("connect", "send", "receive")


def test_the_rest_is_sent_while_an_early_response_arrives(rig: Rig) -> None:
    in_state(rig, SENDING).arrive(RESPONSE[:20])
    assert rig.connection.state == RECEIVING
    rig.transport.room_bytes = 4
    rig.transport.callback()
    assert (rig.connection.state, rig.connection.bytes_sent) == (RECEIVING, 7)
    rig.transport.room_bytes = 1000
    rig.transport.callback()
    assert (rig.connection.state, rig.transport.written, rig.transport.watched) == (RECEIVING, REQUEST, READ)
    rig.arrive(RESPONSE[20:])
    assert (rig.outcomes, rig.connection.is_reusable()) == ([200], True)
    rig.assert_tiled("connect", "send", "receive")


def test_a_server_that_refuses_the_rest_may_have_answered(rig: Rig) -> None:
    in_state(rig, SENDING)
    rig.transport.send_error = broken_pipe()
    rig.transport.callback()
    assert (rig.outcomes, rig.transport.watched) == ([], READ)
    rig.arrive(REFUSAL, EOF)
    assert (rig.outcomes, rig.connection.is_reusable()) == ([413], False)
    rig.assert_tiled("connect", "send", "receive")


@pytest.mark.parametrize("end", [EOF, reset()], ids=["closed", "reset"])
def test_a_server_that_refuses_the_rest_without_an_answer(rig: Rig, end: Any) -> None:
    in_state(rig, SENDING)
    rig.transport.send_error = broken_pipe()
    rig.transport.callback()
    rig.arrive(end)
    rig.assert_failed(ErrorKind.SEND_FAILED, ClosedBy.SERVER)
    rig.assert_tiled("connect", "send")


@pytest.mark.parametrize("end", [EOF, reset()], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("reused", "kind"),
    [(False, ErrorKind.CLOSED_WITHOUT_RESPONSE), (True, ErrorKind.STALE_CONNECTION)],
    ids=["new", "reused"],
)
def test_a_request_that_can_not_even_begin(rig: Rig, reused: bool, kind: ErrorKind, end: Any) -> None:
    unsendable(rig, reused).arrive(end)
    rig.assert_failed(kind, ClosedBy.SERVER)
    assert rig.connection.bytes_sent == 0
    rig.assert_tiled(*(["send"] if reused else ["connect", "send"]))


def test_a_server_that_answers_before_a_request_can_begin(rig: Rig) -> None:
    """On a new connection that is its answer: it refuses the client."""
    unsendable(rig, False).arrive(REFUSAL)
    assert (rig.outcomes, rig.connection.is_reusable()) == ([413], False)


def unsendable(rig: Rig, reused: bool) -> Rig:
    """A request of which nothing could be sent."""
    if reused:
        in_state(rig, IDLE)
    rig.transport.send_error = broken_pipe()
    if reused:
        rig.reuse()
    else:
        rig.open()
    assert (rig.outcomes[reused:], rig.transport.watched) == ([], READ)
    return rig


# Responses that no request asked for


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["", "close"])
def test_a_response_on_an_idle_connection_is_the_servers_end(rig: Rig, status: int, more: bytes) -> None:
    in_state(rig, IDLE).arrive(b"\r\nHTTP/1.1 %d Sorry\r\n%s\r\n" % (status, more))
    assert (rig.losses, rig.outcomes, rig.connection.idle_status) == (1, [200], status)
    assert rig.connection.ending is Ending.SERVER_IDLE_RESPONSE


def test_a_timeout_that_crosses_a_request_is_not_its_answer(rig: Rig) -> None:
    in_state(rig, IDLE).reuse().arrive(TIMEOUT)
    rig.assert_failed(ErrorKind.CROSSED_BY_CLOSE, ClosedBy.SERVER)
    assert (rig.connection.ending, rig.connection.idle_status) == (Ending.SERVER_IDLE_RESPONSE, 408)
    assert rig.connection.bytes_received == 0
    assert rig.connection.failure == "a 408 that the server sent before it had the request"


def test_what_comes_where_nothing_was_sent_answers_nothing(rig: Rig) -> None:
    unsendable(rig, True).arrive(RESPONSE.replace(b"200", b"503"))
    rig.assert_failed(ErrorKind.CROSSED_BY_CLOSE, ClosedBy.SERVER)
    assert rig.connection.idle_status == 503


@pytest.mark.parametrize(
    ("reused", "room_bytes", "response"),
    [
        pytest.param(False, 1000, b"close", id="the connection's first request"),
        pytest.param(True, 3, b"close", id="a request that was not sent in full"),
        pytest.param(True, 1000, b"keep-alive", id="the connection goes on"),
    ],
)
def test_a_timeout_that_is_an_answer(rig: Rig, reused: bool, room_bytes: int, response: bytes) -> None:
    if reused:
        in_state(rig, IDLE)
    rig.transport.room_bytes = room_bytes
    if reused:
        rig.reuse()
    else:
        rig.open()
    rig.arrive(TIMEOUT.replace(b"close", response))
    assert rig.outcomes[-1] == 408


# Ends at the wrong time


@pytest.mark.parametrize("end", [EOF, reset()], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("state", "reused", "kind"),
    [
        (SENDING, False, ErrorKind.SEND_FAILED),
        (SENDING, True, ErrorKind.STALE_CONNECTION),
        (WAITING, False, ErrorKind.CLOSED_WITHOUT_RESPONSE),
        (WAITING, True, ErrorKind.STALE_CONNECTION),
        (RECEIVING, False, ErrorKind.TRUNCATED),
        (RECEIVING, True, ErrorKind.TRUNCATED),
    ],
)
def test_a_close_before_the_response_is_complete(
    rig: Rig, state: State, reused: bool, kind: ErrorKind, end: Any
) -> None:
    if reused:
        in_state(rig, IDLE)
        rig.transport.room_bytes = 3 if state is SENDING else 1000
        rig.reuse()
        if state is RECEIVING:
            rig.arrive(RESPONSE[:9])
    else:
        in_state(rig, state)
    assert rig.connection.state == state
    rig.arrive(end)
    rig.assert_failed(kind, ClosedBy.SERVER)
    assert len(rig.outcomes) == 1 + reused
    phases = {SENDING: ["send"], WAITING: ["send", "wait"], RECEIVING: ["send", "wait", "receive"]}[state]
    rig.assert_tiled(*([] if reused else ["connect"]), *phases)


@pytest.mark.parametrize(
    "part",
    [
        b"H",
        RESPONSE[:20],
        RESPONSE[:-1],
        b"HTTP/1.1 100 Continue\r\n\r\nH",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_part_of_a_response_is_truncated(rig: Rig, part: bytes, together: bool) -> None:
    rig.open()
    if together:
        rig.arrive(part, EOF)
    else:
        rig.arrive(part).arrive(EOF)
    rig.assert_failed(ErrorKind.TRUNCATED, ClosedBy.SERVER)
    assert rig.connection.bytes_received == len(part)


def test_a_reset_is_no_end_of_a_body_until_close(rig: Rig) -> None:
    rig.open().arrive(UNTIL_CLOSE, reset())
    rig.assert_failed(ErrorKind.TRUNCATED, ClosedBy.SERVER)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (b"SSH-2.0-OpenSSH\r\n", ErrorKind.NOT_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ErrorKind.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", ErrorKind.MALFORMED),
        (b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", ErrorKind.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, ErrorKind.HEAD_TOO_LARGE),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 101, ErrorKind.HEAD_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", ErrorKind.BODY_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, ErrorKind.BODY_TOO_LARGE),
    ],
    ids=["garbage", "bad length", "two framings", "101", "long head", "endless 1xx", "claims too much", "too much"],
)
def test_a_bad_response_ends_the_connection(rig: Rig, response: bytes, kind: ErrorKind) -> None:
    rig.open().arrive(response)
    rig.assert_failed(kind, ClosedBy.CLIENT)
    assert rig.connection.bytes_received > 0
    rig.assert_tiled("connect", "send", "wait", "receive")


# Idle


@pytest.mark.parametrize(
    ("item", "ending"),
    [
        pytest.param(EOF, Ending.SERVER_IDLE_FIN, id="closed"),
        pytest.param(reset(), Ending.SERVER_IDLE_RST, id="reset"),
        pytest.param(b"HTTP/1.1 4", Ending.SERVER_IDLE_RESPONSE, id="beginning of an unsolicited response"),
        pytest.param(TlsFailure(ErrorKind.TLS_FAILED, "alert", by_peer=True), Ending.SERVER_IDLE_FIN, id="alert"),
        pytest.param(TlsFailure(ErrorKind.TLS_FAILED, "bad record"), Ending.CLIENT_GAVE_UP, id="no TLS"),
        pytest.param(b"\0", Ending.CLIENT_GAVE_UP, id="unsolicited byte"),
    ],
)
def test_an_idle_connection_is_lost(rig: Rig, item: Any, ending: Ending) -> None:
    in_state(rig, IDLE).arrive(item)
    assert (rig.losses, rig.outcomes) == (1, [200])
    assert (rig.connection.state, rig.connection.ending, rig.transport.closed) == (CLOSED, ending, True)


@pytest.mark.parametrize("cut_off", [False, True])
def test_only_an_announced_end_completes_a_body_in_tls(rig: Rig, cut_off: bool) -> None:
    in_state(rig, WAITING).arrive(UNTIL_CLOSE)
    rig.transport.is_cut_off = cut_off
    rig.arrive(EOF)
    if cut_off:
        rig.assert_failed(ErrorKind.TRUNCATED, ClosedBy.SERVER)
        assert rig.connection.failure == "the server closed the connection without TLS's close_notify"
    else:
        assert rig.outcomes == [200]


@pytest.mark.parametrize("line", [b"\r\n", b"\n", b"\r\n\r\n"], ids=["CRLF", "LF", "two"])
def test_an_empty_line_between_two_responses_is_noted_and_no_more(rig: Rig, line: bytes) -> None:
    """Whether the next request is under way or not: the server's next byte is the first one of its response."""
    in_state(rig, IDLE).arrive(line)
    assert (rig.losses, rig.connection.state) == (0, IDLE)
    rig.reuse()
    rig.clock.now_ns += 1000
    rig.arrive(line)
    assert rig.connection.state == WAITING
    rig.clock.now_ns += 1000
    rig.arrive(RESPONSE)
    assert (rig.outcomes, rig.connection.is_reusable(), rig.reader.notes) == ([200, 200], True, Leniency.EMPTY_LINE)
    assert rig.phases["wait"] >= 2000
    assert rig.connection.bytes_received == len(RESPONSE)


def test_an_empty_line_before_a_close_is_no_response(rig: Rig) -> None:
    rig.open().arrive(b"\r\n", EOF)
    rig.assert_failed(ErrorKind.CLOSED_WITHOUT_RESPONSE, ClosedBy.SERVER)


def test_bytes_that_no_request_asked_for_are_kept(rig: Rig) -> None:
    in_state(rig, IDLE).arrive(b"\r\nhello")
    assert (rig.losses, rig.reader.has_extra_bytes, rig.reader.extra) == (1, True, b"\r\nhello")


@pytest.mark.parametrize(
    ("item", "closed"), [(b"\r\n", False), (b"x", False), (EOF, True)], ids=["line", "byte", "FIN"]
)
def test_a_look_for_the_servers_close_reads_what_there_is(rig: Rig, item: bytes, closed: bool) -> None:
    in_state(rig, IDLE).transport.incoming.append(item)
    assert rig.connection.peer_has_closed() is closed
    assert rig.reader.extra == item.strip()


@pytest.mark.parametrize("item", [EOF, reset()], ids=str)
def test_a_client_that_ignores_close_takes_no_close_for_the_end(rig: Rig, item: Any) -> None:
    rig.connection.ignores_close = True
    in_state(rig, IDLE).arrive(item)
    assert (rig.losses, rig.connection.state, rig.connection.after_close) == (0, IDLE, True)
    assert rig.transport.watched == NOTHING
    rig.connection.exchange(REQUEST)
    assert rig.transport.watched == READ
    rig.arrive(EOF)
    rig.assert_failed(ErrorKind.STALE_CONNECTION, ClosedBy.SERVER)
    assert rig.connection.ending is Ending.SERVER_STALE


@pytest.mark.parametrize("reused", [False, True])
def test_time_waited_for_a_connection_is_queue(rig: Rig, reused: bool) -> None:
    if reused:
        in_state(rig, IDLE)
        due_ns = rig.clock.now_ns - 5_000
        rig.connection.exchange(REQUEST, due_ns)
    else:
        due_ns = rig.clock.now_ns - 5_000
        rig.connection.open(REQUEST, due_ns)
        rig.transport.callback()
    rig.arrive(RESPONSE)
    assert (rig.outcomes[-1], rig.connection.scheduled_ns) == (200, due_ns)
    assert rig.connection.queue_ns == rig.connection.begun_ns - due_ns > 5_000
    handshake = sum(phase for phase in rig.connection.handshake if phase >= 0) if not reused else 0
    spent = sum(phase for phase in exchange_phases(rig.connection) if phase >= 0)
    assert rig.connection.queue_ns + handshake + spent + rig.connection.own_ns == rig.end_ns - due_ns
    rig.connection.exchange(REQUEST)
    assert rig.connection.queue_ns == ABSENT


def test_a_lookup_for_each_connection(rig: Rig, resolver: list[Any]) -> None:
    refused, other = (2, ("192.0.2.3", 81)), (2, ("192.0.2.2", 81))
    rig.route.addresses[:] = [refused, ADDRESS]
    assert rig.route.skip_address()
    rig.connection.open(REQUEST, look_up=True)
    assert rig.connection.state == RESOLVING
    resolver[0][2]([refused, other])
    assert (rig.transport.connected_to, rig.route.addresses) == (other, [other])


def test_an_idle_connection_that_only_woke_up_is_kept(rig: Rig) -> None:
    in_state(rig, IDLE).arrive()
    assert (rig.losses, rig.connection.state) == (0, IDLE)


@pytest.mark.parametrize(
    ("incoming", "closed"), [([], False), ([b"x"], False), ([EOF], True), ([reset()], True)], ids=str
)
def test_a_look_tells_whether_the_peer_has_closed(rig: Rig, incoming: list[Any], closed: bool) -> None:
    in_state(rig, IDLE).transport.incoming += incoming
    assert rig.connection.peer_has_closed() is closed
    assert rig.connection.state == IDLE


@pytest.mark.parametrize("ending", Ending)
def test_closing_reports_nothing(rig: Rig, ending: Ending) -> None:
    in_state(rig, IDLE).connection.close(ending)
    assert (rig.connection.state, rig.connection.ending, rig.transport.closed) == (CLOSED, ending, True)
    assert (rig.losses, rig.outcomes) == (0, [200])
    with pytest.raises(IllegalTransition):
        rig.connection.close(Ending.CLIENT_SILENT)


# Given up

PHASES = {
    CONNECTING: ["connect"],
    HANDSHAKING: ["connect", "tls"],
    SENDING: ["connect", "send"],
    WAITING: ["connect", "send", "wait"],
    RECEIVING: ["connect", "send", "wait", "receive"],
}


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (CONNECTING, ErrorKind.CONNECT_TIMEOUT),
        (HANDSHAKING, ErrorKind.TLS_TIMEOUT),
        (SENDING, ErrorKind.RESPONSE_TIMEOUT),
        (WAITING, ErrorKind.RESPONSE_TIMEOUT),
        (RECEIVING, ErrorKind.RESPONSE_TIMEOUT),
    ],
)
def test_a_deadline_that_passes(rig: Rig, state: State, kind: ErrorKind) -> None:
    in_state(rig, state).connection.expire()
    rig.assert_failed(kind, ClosedBy.CLIENT)
    assert len(rig.outcomes) == 1
    rig.assert_tiled(*PHASES[state])


@pytest.mark.parametrize("state", PHASES, ids=lambda state: state.name)
def test_a_run_that_ends_meanwhile(rig: Rig, state: State) -> None:
    in_state(rig, state).connection.abandon()
    rig.assert_failed(ErrorKind.UNFINISHED, ClosedBy.CLIENT)
    assert len(rig.outcomes) == 1
    rig.assert_tiled(*PHASES[state])


@pytest.mark.parametrize(("is_connected", "ending"), [(True, Ending.CLIENT_GAVE_UP), (False, Ending.NOT_OPENED)])
def test_a_run_that_ends_before_the_kernel_tells_of_the_connection(
    rig: Rig, is_connected: bool, ending: Ending
) -> None:
    rig.transport.is_connected = is_connected
    in_state(rig, CONNECTING).connection.abandon()
    assert rig.connection.flags == (ConnectionFlag.ESTABLISHED if is_connected else 0)
    assert rig.connection.ending is ending


@pytest.mark.parametrize(
    ("extra", "ending", "status"),
    [
        (b"HTTP/1.1 408 Request Timeout\r\n\r\n", Ending.SERVER_IDLE_RESPONSE, 408),
        (b"HTTP/1.1 200 OK\r\n\r\n", Ending.NOT_OPENED, 0),
        (b"x", Ending.NOT_OPENED, 0),
    ],
)
def test_bytes_behind_a_response_may_say_why_the_server_ends_the_connection(
    rig: Rig, extra: bytes, ending: Ending, status: int
) -> None:
    rig.open().arrive(RESPONSE + extra)
    rig.connection.note_extra()
    assert (rig.connection.ending, rig.connection.idle_status) == (ending, status)


def test_a_deadline_on_a_reused_connection_keeps_its_handshake(rig: Rig) -> None:
    in_state(rig, IDLE)
    handshake = rig.connection.handshake
    rig.reuse().connection.expire()
    rig.assert_failed(ErrorKind.RESPONSE_TIMEOUT, ClosedBy.CLIENT)
    assert rig.connection.handshake == handshake
    rig.assert_tiled("send", "wait")


# The generator's own work, and what the kernel says


def at(rig: Rig, now_ns: int, polled_ns: int) -> None:
    """It is now `now_ns`, and the loop's last poll returned at `polled_ns`; neither goes on."""
    rig.clock.runs = False
    rig.clock.now_ns, rig.clock.polled_ns = now_ns, polled_ns


def test_a_phase_ends_as_the_loop_heard_of_it_and_handling_is_own_work(rig: Rig) -> None:
    at(rig, 1000, 900)
    rig.making_ns = 7
    rig.connection.open(REQUEST)
    at(rig, 1060, 1050)
    rig.transport.callback()
    at(rig, 1200, 1180)
    rig.arrive(RESPONSE[:20])
    at(rig, 1305, 1300)  # `receive` has begun before: it ends when the last byte is read
    rig.arrive(RESPONSE[20:])
    assert rig.phases == {"connect": 1050 - 1007, "send": 0, "wait": 1180 - 1060, "receive": 1305 - 1200}
    assert rig.connection.own_ns == 7 + 10 + 20
    assert rig.end_ns == 1305
    assert sum(rig.phases.values()) + rig.connection.own_ns == 305


def test_a_connection_that_was_open_at_once_connected_until_then_and_the_rest_is_own_work(rig: Rig) -> None:
    at(rig, 1000, 900)
    rig.connection.is_sampled = True
    rig.connection.open(REQUEST)
    rig.transport.connected_ns = 1012
    at(rig, 1060, 1050)  # as the loop tells of it
    rig.transport.callback()
    assert rig.phases["connect"] == 12
    assert rig.connection.own_ns == 48
    assert rig.connection.lag_ns == rig.connection.connect_delay_ns == 0


def test_what_began_after_the_poll_was_not_over_at_it(rig: Rig) -> None:
    """A request that is sent and answered within one turn of the loop."""
    in_state(rig, IDLE)
    at(rig, 10_000_000, 9_999_000)
    rig.reuse()
    at(rig, 10_000_400, 9_999_000)
    rig.arrive(RESPONSE)
    assert rig.phases == {"send": 0, "wait": 400, "receive": 0}
    assert rig.connection.own_ns == 0


def test_own_work_is_each_requests(rig: Rig) -> None:
    rig.making_ns = 50
    rig.open().arrive(RESPONSE)
    assert rig.connection.own_ns >= 50
    rig.assert_tiled("connect", "send", "wait", "receive")
    rig.clock.polled_ns = rig.clock.now_ns
    rig.reuse()
    rig.clock.now_ns += 500
    rig.clock.polled_ns = rig.clock.now_ns
    rig.clock.now_ns += 90
    rig.arrive(RESPONSE)
    assert 90 <= rig.connection.own_ns < 90 + 2_000  # and a look at the clock
    rig.assert_tiled("send", "wait", "receive")


def test_a_connection_that_is_not_sampled_asks_the_kernel_nothing(rig: Rig) -> None:
    rig.transport.rtt_ns = rig.transport.arrived_ns = 5
    rig.open().arrive(RESPONSE)
    assert rig.transport.asked == []
    assert not rig.transport.stamps_arrivals
    assert (rig.connection.connect_delay_ns, rig.connection.wait_delay_ns) == (ABSENT, ABSENT)


def test_a_sampled_connection_says_how_late_its_stamps_are(rig: Rig) -> None:
    rig.connection.is_sampled = True
    at(rig, 1000, 900)
    rig.connection.open(REQUEST)
    assert rig.transport.stamps_arrivals
    rig.transport.rtt_ns = 30
    at(rig, 1060, 1050)
    rig.transport.callback()
    assert rig.connection.connect_delay_ns == 1050 - 1000 - 30
    rig.transport.arrived_ns = 1100
    at(rig, 1205, 1180)
    rig.arrive(RESPONSE[:20]).arrive(RESPONSE[20:])
    assert rig.connection.wait_delay_ns == 1180 - 1100
    assert rig.transport.asked == ["rtt", "arrival"]  # once each, however many pieces come


def test_of_its_exchanges_some_are_sampled_and_none_has_anothers_delay(rig: Rig) -> None:
    rig.connection.is_sampled = True
    rig.open().transport.arrived_ns = 1
    delays = []
    for _ in range(34):
        rig.arrive(RESPONSE)
        delays.append(rig.connection.wait_delay_ns)
        rig.reuse()
    assert [index for index, delay in enumerate(delays) if delay != ABSENT] == [0, 16, 32]


@pytest.mark.parametrize("reused", [False, True])
def test_where_the_kernel_says_nothing_the_delay_is_absent(rig: Rig, reused: bool) -> None:
    rig.connection.is_sampled = True
    rig.open()
    if reused:
        for _ in range(16):
            rig.arrive(RESPONSE).reuse()
    rig.arrive(RESPONSE)
    assert (rig.connection.connect_delay_ns, rig.connection.wait_delay_ns) == (ABSENT, ABSENT)


# Lag and the listener


def test_lag_is_the_sum_over_the_events_of_one_exchange(rig: Rig) -> None:
    rig.clock.runs = False
    rig.clock.ready_ns = rig.clock.now_ns - 5
    rig.open()
    assert rig.connection.lag_ns == 5
    rig.arrive(RESPONSE[:9]).arrive(RESPONSE[9:])
    assert rig.connection.lag_ns == 15
    rig.reuse()
    assert rig.connection.lag_ns == 0
    rig.arrive(RESPONSE)
    assert rig.connection.lag_ns == 5


def test_one_event_counts_its_lag_once(rig: Rig) -> None:
    """Also where room to send and bytes to read come together."""
    in_state(rig, SENDING).arrive(RESPONSE[:9])
    rig.clock.runs = False
    rig.clock.ready_ns = rig.clock.now_ns - 5
    before_ns = rig.connection.lag_ns
    rig.arrive(RESPONSE[9:20])
    assert (rig.connection.state, rig.connection.lag_ns - before_ns) == (RECEIVING, 5)


@pytest.mark.parametrize("items", [[RESPONSE], [UNTIL_CLOSE, EOF], [b"garbage"]], ids=["complete", "at close", "bad"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EAGAIN], ids=["disk full", "would block"])
def test_a_listeners_error_is_not_taken_for_the_servers(rig: Rig, items: list[bytes], number: int) -> None:
    """A sink whose disk is full raises OSError; the caller that runs the loop must get it."""
    rig.listener_error = OSError(number, "the listener's own")
    rig.open()
    with pytest.raises(OSError, match="the listener's own"):
        rig.arrive(*items)
    assert (len(rig.outcomes), rig.losses) == (1, 0)
