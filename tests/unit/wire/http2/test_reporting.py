"""Exchanges in flight when their connection fails: each is reported once, with the kind that its own progress means."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http2.reporting import ReportingConnection
from loadgen.wire.http2.stream import HttpStream, StreamRequest
from loadgen.wire.lifecycle import CLOSED
from loadgen.wire.listener import Listener
from tests.support.connections import exchange_phases
from tests.support.fake_network import FakeClock, FakeRoute

REQUEST = StreamRequest(((b":method", b"GET"),), b"", b"")


class Reports(Listener):
    """Keeps what is reported: (request's index, outcome, requests still in flight)."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, int, int]] = []
        self.phases: list[tuple[int, int, int]] = []

    def exchange_done(self, connection: Any, outcome: int, end_ns: int) -> None:
        self.reports.append((connection.request_index, outcome, connection.in_flight))
        self.phases.append(exchange_phases(connection))

    def connection_lost(self, connection: Any) -> None:
        raise AssertionError("it was not idle")


def opening(listener: Listener) -> Any:
    """A connection whose TCP handshake is under way."""
    clock = FakeClock()
    connection: Any = ReportingConnection(0, FakeRoute(clock), listener, clock, ResponseReader(100))
    connection.open(REQUEST)
    return connection


class Rig:
    """A connection with exchanges in flight: one that is being answered, one that waits, one without a stream."""

    def __init__(self) -> None:
        self.listener = Reports()
        self.connection = opening(self.listener)
        self.connection.flags |= ConnectionFlag.ESTABLISHED
        for index in range(3):
            exchange = self.connection._add(REQUEST, 100, queued=index > 0)
            if index < 2:
                exchange.begun_ns, exchange.sent_ns, exchange.stream = 110, 120, HttpStream(2 * index + 1, exchange)
                self.connection._waiting.remove(exchange)
                self.connection._active.append(exchange)
        self.connection._active[0].first_ns = 130

    def fail(self, kind: ErrorKind) -> list[tuple[int, int, int]]:
        self.connection._fail(kind, "why")
        return self.listener.reports


def test_requests_in_flight_are_those_with_a_stream_and_those_that_wait() -> None:
    rig = Rig()
    assert (rig.connection.in_flight, rig.connection.submitted, rig.connection.busy) == (3, 3, True)


def test_a_close_by_the_server_means_what_each_had_come_to() -> None:
    assert Rig().fail(ErrorKind.TRUNCATED) == [
        (0, -ErrorKind.TRUNCATED, 2),
        (1, -ErrorKind.STALE_CONNECTION, 1),
        (2, -ErrorKind.STALE_CONNECTION, 0),
    ]


def test_a_close_between_responses_found_none_under_way() -> None:
    """However far earlier exchanges of the connection had come."""
    rig = Rig()
    rig.connection._active[0].first_ns = ABSENT
    assert [outcome for _, outcome, _ in rig.fail(ErrorKind.TRUNCATED)][1:] == [-ErrorKind.STALE_CONNECTION] * 2
    assert rig.connection.ending is Ending.SERVER_STALE


@pytest.mark.parametrize("kind", [ErrorKind.HTTP2_PROTOCOL, ErrorKind.RESPONSE_TIMEOUT, ErrorKind.UNFINISHED])
def test_anything_else_is_the_kind_of_all(kind: ErrorKind) -> None:
    assert [outcome for _, outcome, _ in Rig().fail(kind)] == [-kind] * 3


def test_a_failed_connection_is_closed_and_has_nothing_in_flight() -> None:
    rig = Rig()
    rig.fail(ErrorKind.HTTP2_PROTOCOL)
    assert rig.connection.state == CLOSED
    assert rig.connection.ending is Ending.CLIENT_GAVE_UP
    assert (rig.connection.in_flight, rig.connection.failure) == (0, "why")
    assert rig.connection.listener is rig.listener


def test_a_request_that_never_got_a_stream_has_no_phases() -> None:
    rig = Rig()
    rig.fail(ErrorKind.HTTP2_PROTOCOL)
    first, second, third = rig.listener.phases
    assert first[:2] == (10, 10)  # sent, then waited for its first byte
    assert second[0] == 10
    assert second[2] == ABSENT
    assert third == (ABSENT, ABSENT, ABSENT)


def test_a_connection_that_fails_before_its_first_request_reports_one() -> None:
    listener = Reports()
    connection = opening(listener)
    connection._fail(ErrorKind.CONNECT_REFUSED, "no one listens")
    assert listener.reports == [(0, -ErrorKind.CONNECT_REFUSED, 0)]
    assert connection.submitted == 1
