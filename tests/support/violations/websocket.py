"""Servers that upgrade to WebSocket, and break a rule of its control frames."""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from tests.support.processes import BYE, read_request
from tests.support.upgrade_servers import CLOSE, PING, PONG, WebSocketSide, switching, ws_frame
from tests.support.violations.violation import Violation

Speak = Callable[[WebSocketSide], None]
_SOON = {"timeout_ns": 200 * NS_PER_MS, "idle_max_ns": 600 * NS_PER_MS}


def websocket(speak: Speak) -> Callable[[socket.socket, int], None]:
    """A server's script: it upgrades where it is asked to, and answers any other request."""

    def script(connection: socket.socket, _number: int) -> None:
        request = read_request(connection)
        if b"Sec-WebSocket-Key" not in request:
            connection.sendall(BYE)
            return
        connection.sendall(switching(request))
        speak(WebSocketSide(connection))

    return script


def answers(side: WebSocketSide, *, pongs: bool = True, closes: bool = True) -> None:
    """It answers Ping and Close."""
    for opcode, payload in side.frames():
        if opcode == PING and pongs:
            side.say(ws_frame(PONG, payload))
        elif opcode == CLOSE:
            if closes:
                side.say(ws_frame(CLOSE, payload))
            return


def _other_pong(side: WebSocketSide) -> None:
    for opcode, _ in side.frames():
        if opcode == PING:
            side.say(ws_frame(PONG, b"whatever"))


def _no_pong(side: WebSocketSide) -> None:
    answers(side, pongs=False)


def _no_close(side: WebSocketSide) -> None:
    answers(side, closes=False)


def _stays_open(side: WebSocketSide) -> None:
    for opcode, payload in side.frames():
        if opcode == CLOSE:
            side.say(ws_frame(CLOSE, payload))


def _ends_in_time(side: WebSocketSide) -> None:
    """It closes 300 ms after the upgrade, whatever comes: a proxy that counts no control frames."""
    end_s = monotonic() + 0.3
    while (left_s := end_s - monotonic()) > 0:
        side.connection.settimeout(left_s)
        if not side.connection.recv(1 << 16):
            return


def _wrong_accept(connection: socket.socket, _number: int) -> None:
    request = read_request(connection)
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    is_upgrade = b"Sec-WebSocket-Key" in request
    connection.sendall(upgrade + b"Sec-WebSocket-Accept: x\r\n\r\n" if is_upgrade else BYE)


def _rows(probe: str, *servers: tuple[str, Speak]) -> tuple[Violation, ...]:
    return tuple(Violation(name=name, probe=probe, script=websocket(speak), plan=_SOON) for name, speak in servers)


WEBSOCKET = (
    Violation(name="accepts with a wrong key", probe="websocket_upgrade", script=_wrong_accept, plan=_SOON),
    *_rows(
        "websocket_ping",
        ("answers a Ping with other data", _other_pong),
        ("answers no Ping", _no_pong),
    ),
    *_rows(
        "websocket_close",
        ("answers no Close", _no_close),
        ("answers a Close, and stays open", _stays_open),
    ),
    Violation(
        name="is closed in spite of pings",
        probe="websocket_kept_by_pings",
        script=websocket(_ends_in_time),
        verdict=Verdict.WARNING,
        values={"kept": False},
        plan=_SOON,
    ),
)
