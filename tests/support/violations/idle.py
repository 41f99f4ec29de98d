"""Servers that close idle connections otherwise than they say, and scripts of idle timeouts for other tests."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from loadgen.model.audit import Verdict
from tests.support.processes import BYE, HELLO, Script, read_request, reset_at_close
from tests.support.violations.persistence import serves
from tests.support.violations.violation import Violation


class IdleServer:
    """A script for `scripted_server`: answers, and closes a connection after a time without a request.

    keep_alive: the value of its Keep-Alive field. last_words: what it sends before it closes. resets: by RST.
    """

    def __init__(
        self, timeout_s: float, *, keep_alive: str = "", last_words: bytes = b"", resets: bool = False
    ) -> None:
        self._timeout_s = timeout_s
        field = f"Keep-Alive: {keep_alive}\r\n" if keep_alive else ""
        self._response = f"HTTP/1.1 200 OK\r\n{field}Content-Length: 5\r\n\r\nhello".encode()
        self._last_words = last_words
        self._resets = resets

    def __call__(self, connection: socket.socket, _number: int) -> None:
        connection.settimeout(self._timeout_s)
        with suppress(TimeoutError):
            while read_request(connection):
                connection.sendall(self._response)
            return
        connection.sendall(self._last_words)
        if self._resets:
            reset_at_close(connection)


class StopsReading:
    """A script: it answers, and closes after an idle time, but what comes shortly before that it leaves unread."""

    def __init__(self, reads_s: float, closes_s: float) -> None:
        self._reads_s = reads_s
        self._rest_s = closes_s - reads_s

    def __call__(self, connection: socket.socket, _number: int) -> None:
        connection.settimeout(self._reads_s)
        with suppress(TimeoutError):
            while read_request(connection):
                connection.sendall(HELLO)
        threading.Event().wait(self._rest_s)


answers_once = serves(BYE)


class OneAtATime:
    """A script for `scripted_server`: it serves one connection after another, in their order and each to its end."""

    def __init__(self, serve: Script = answers_once) -> None:
        self._serve = serve
        self._ended = 0
        self._turn = threading.Condition()

    def __call__(self, connection: socket.socket, number: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._ended == number, timeout=20)
        try:
            self._serve(connection, number)
        finally:
            with self._turn:
                self._ended += 1
                self._turn.notify_all()


IDLE = (
    Violation(
        name="closes before the time that it announces",
        probe="idle_timeout",
        script=IdleServer(0.2, keep_alive="timeout=1, max=100"),
        verdict=Verdict.WARNING,
        values={"shape": "timer", "announced_ns": 1_000_000_000, "ended_by": "fin", "connections": 20},
    ),
    Violation(
        name="sends bytes that were not asked for before it closes",
        probe="idle_timeout",
        script=IdleServer(0.2, last_words=b"bye\r\n"),
        verdict=Verdict.WARNING,
        values={"shape": "timer"},
    ),
    Violation(
        name="stops reading before it closes",
        probe="stale_window",
        script=StopsReading(0.35, 0.4),
        verdict=Verdict.WARNING,
    ),
    Violation(
        name="one silent client stops it",
        probe="header_timeout",
        script=OneAtATime(),
        verdict=Verdict.WARNING,
        values={"held_up_by": 1},
    ),
)
