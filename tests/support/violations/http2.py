"""Servers that speak HTTP/2 with prior knowledge, and break a rule about its connections."""

from __future__ import annotations

import socket
from collections.abc import Callable

from hyperframe.frame import GoAwayFrame, PingFrame, RstStreamFrame

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from tests.support.processes import BYE, HELLO, read_request
from tests.support.upgrade_servers import Http2Side
from tests.support.violations.violation import Violation

Speak = Callable[[Http2Side], None]
_SOON = {"timeout_ns": 200 * NS_PER_MS, "idle_max_ns": 1_000 * NS_PER_MS}
_REFUSED_STREAM = 7


def http2(speak: Speak) -> Callable[[socket.socket, int], None]:
    """A server's script for a connection of HTTP/2; a plain request of HTTP/1.1 is answered, and no more."""

    def script(connection: socket.socket, _number: int) -> None:
        if connection.recv(3, socket.MSG_PEEK) == b"PRI":
            speak(Http2Side(connection))
        elif read_request(connection):
            connection.sendall(BYE)

    return script


def _never_acknowledges(side: Http2Side) -> None:
    side.settings(acknowledge=False)
    side.listen()


def _announces_push(side: Http2Side) -> None:
    side.settings(enable_push=1)
    side.listen()


def _other_pong(side: Http2Side) -> None:
    side.settings()
    for frame in side.frames():
        if isinstance(frame, PingFrame):
            side.say_frames(PingFrame(0, b"whatever", flags=["ACK"]))


def _no_pong(side: Http2Side) -> None:
    side.settings()
    for stream in side.streams():
        side.answer(stream)


def _begins_all(side: Http2Side) -> None:
    """Whatever limit it has announced."""
    side.settings(max_concurrent_streams=3)
    for stream in side.streams():
        side.say_frames(side.head(stream))


def _refuses_early(side: Http2Side) -> None:
    side.settings(max_concurrent_streams=100)
    for number, stream in enumerate(side.streams()):
        side.say_frames(side.head(stream) if number < 10 else RstStreamFrame(stream, error_code=_REFUSED_STREAM))


def closes_after(requests: int, *last: GoAwayFrame) -> Speak:
    """It ends the connection after some requests, with these frames."""

    def speak(side: Http2Side) -> None:
        side.settings(max_concurrent_streams=10)
        for number, stream in enumerate(side.streams(), start=1):
            side.answer(stream)
            if number == requests:
                side.say_frames(*last)
                side.connection.shutdown(socket.SHUT_WR)
                side.listen()

    return speak


def _resets(side: Http2Side) -> None:
    """It says GOAWAY and closes while requests are coming in, as a server without a lingering close does."""
    side.settings(max_concurrent_streams=10)
    for number, stream in enumerate(side.streams(), start=1):
        side.answer(stream)
        if number == 15:
            side.reset()
            return


def _closes_idle(side: Http2Side) -> None:
    side.settings()
    side.connection.settimeout(0.3)  # and then `streams` ends
    for stream in side.streams():
        side.answer(stream)


def _answers_the_upgrade_alone(connection: socket.socket, _number: int) -> None:
    """It switches to HTTP/2, and goes on in HTTP/1.1."""
    if b"HTTP2-Settings" not in read_request(connection):
        connection.sendall(BYE)
        return
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + HELLO)
    connection.recv(1 << 16)


def _rows(probe: str, verdict: Verdict, *servers: tuple[str, Speak]) -> tuple[Violation, ...]:
    return tuple(
        Violation(name=name, probe=probe, script=http2(speak), verdict=verdict, plan=_SOON) for name, speak in servers
    )


HTTP2 = (
    Violation(
        name="switches to HTTP/2, and answers in HTTP/1.1",
        probe="http2_settings",
        script=_answers_the_upgrade_alone,
        plan=_SOON,
    ),
    *_rows(
        "http2_settings", Verdict.VIOLATION,
        ("never acknowledges our SETTINGS", _never_acknowledges),
        ("announces ENABLE_PUSH", _announces_push),
    ),
    *_rows(
        "http2_ping", Verdict.VIOLATION,
        ("acknowledges a PING with other data", _other_pong),
        ("acknowledges no PING", _no_pong),
    ),
    *_rows("http2_streams", Verdict.VIOLATION, ("answers more streams than it announces", _begins_all)),
    *_rows("http2_streams", Verdict.WARNING, ("refuses streams below its own limit", _refuses_early)),
    *_rows(
        "http2_max_requests", Verdict.WARNING,
        ("closes after requests without GOAWAY", closes_after(15)),
        ("resets the connection after requests", _resets),
        ("promises in GOAWAY what it does not answer", closes_after(15, GoAwayFrame(0, last_stream_id=99))),
    ),
    *_rows("http2_idle_timeout", Verdict.WARNING, ("closes idle connections without GOAWAY", _closes_idle)),
    *_rows("http2_goaway", Verdict.WARNING, ("never sends GOAWAY", _closes_idle)),
)  # fmt: skip
