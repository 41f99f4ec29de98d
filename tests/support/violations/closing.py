"""Servers that do not close as they are asked to, or lose bytes by the way they close."""

from __future__ import annotations

import socket
import time

from loadgen.model.audit import Verdict
from tests.support.processes import BYE, HELLO, Script, read_request, reset_at_close
from tests.support.violations.persistence import falls_silent, keeps
from tests.support.violations.violation import SOON, Violation

_LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n" + bytes(2_000_000)
_CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello"


def closes_where_written(*ways: bytes) -> Script:
    """Closes after a request whose Connection lines are one of these, and after no other."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            lines = [line[12:] for line in request.split(b"\r\n") if line.startswith(b"Connection: ")]
            connection.sendall(HELLO)
            if b" / ".join(lines) in ways:
                return

    return script


def resets(connection: socket.socket, _number: int) -> None:
    """Answers one request; closes by reset, once the response has surely been read."""
    read_request(connection)
    connection.sendall(BYE)
    time.sleep(0.02)
    reset_at_close(connection)


def closes_both_sides(connection: socket.socket, _number: int) -> None:
    """Answers one request at length, and closes both sides whatever is still to be read."""
    read_request(connection)
    connection.sendall(_LARGE)


def cuts_short(connection: socket.socket, number: int) -> None:
    """Closes before all of the response is sent, but on the first connection."""
    read_request(connection)
    connection.sendall(_CUT_SHORT if number else BYE)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(9999):
        pass


CLOSING = (
    Violation(
        name="ignores close",
        probe="close_honoured",
        script=keeps(HELLO),
        values={"connections": 3, "closed": 0, "answered": 3, "announced": 0},
        plan=SOON,
    ),
    Violation(
        name="says close, and neither closes nor answers",
        probe="close_honoured",
        script=falls_silent(BYE),
        verdict=Verdict.WARNING,
        values={"connections": 3, "closed": 0, "answered": 0, "announced": 3},
        plan=SOON,
    ),
    Violation(
        name="closes by reset",
        probe="close_honoured",
        script=resets,
        verdict=Verdict.WARNING,
        values={"closed": 3, "reset": 3, "fin": 0},
    ),
    Violation(
        name="knows close only in lower case and alone",
        probe="close_options",
        script=closes_where_written(b"close"),
        values={
            "honoured": [],
            "ignored": [
                "CLOSE",
                "close, TE",
                "TE, close",
                "Keep-Alive, CLOSE",
                "close in the second of two lines",
                "close in the first of two lines",
            ],
        },
        plan=SOON,
    ),
    Violation(
        name="reads only the first of several Connection lines",
        probe="close_options",
        script=closes_where_written(
            b"close", b"CLOSE", b"close, TE", b"TE, close", b"Keep-Alive, CLOSE", b"Close / TE"
        ),
        values={"ignored": ["close in the second of two lines"]},
        plan=SOON,
    ),
    Violation(
        name="resets a response that is on its way",
        probe="lingering_close",
        script=closes_both_sides,
        verdict=Verdict.NOTE,
        values={"whole": True, "whole_with_more": False, "reset_with_more": True},
    ),
    Violation(
        name="closes before the end of its response",
        probe="lingering_close",
        script=cuts_short,
        verdict=Verdict.WARNING,
        values={"whole": False},
    ),
)
