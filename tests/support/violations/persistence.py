"""Servers that do not keep a connection as they say, or as HTTP has it."""

from __future__ import annotations

import socket

from loadgen.model.audit import Verdict
from tests.support.processes import BYE, HELLO, Script, read_request
from tests.support.violations.violation import SOON, Violation

_KEEP = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
_UNLISTED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\nhello"


def serves(*responses: bytes) -> Script:
    """Answers each request with the next of these, and closes after the last one."""

    def script(connection: socket.socket, _number: int) -> None:
        for response in responses:
            if not read_request(connection):
                return
            connection.sendall(response)

    return script


def keeps(response: bytes) -> Script:
    """Answers each request with this, for as long as the client likes."""

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(response)

    return script


def falls_silent(*responses: bytes) -> Script:
    """Answers each request with the next of these, and then none, but stays open."""

    def script(connection: socket.socket, number: int) -> None:
        serves(*responses)(connection, number)
        while read_request(connection):
            pass

    return script


PERSISTENCE = (
    Violation(
        name="closes after each response without saying so",
        probe="persistent_by_default",
        script=serves(HELLO),
        values={"answered": 1, "connections": 3},
    ),
    Violation(
        name="closes after each second response without saying so",
        probe="persistent_by_default",
        script=serves(HELLO, HELLO),
        verdict=Verdict.WARNING,
        values={"answered": 2, "connections": 3},
    ),
    Violation(
        name="stays open after HTTP/1.0",
        probe="closes_http10",
        script=keeps(HELLO),
        verdict=Verdict.WARNING,
        values={"closed": False, "answered_again": True},
        plan=SOON,
    ),
    Violation(
        name="says keep-alive to HTTP/1.0 and closes",
        probe="keep_alive_http10",
        script=serves(_KEEP),
        verdict=Verdict.WARNING,
        values={"kept": False, "announced": True},
    ),
    Violation(
        name="says close and stays open",
        probe="as_announced",
        script=keeps(BYE),
        values={"says_close": True, "what": "answered"},
        plan=SOON,
    ),
    Violation(
        name="says keep-alive and closes",
        probe="as_announced",
        script=serves(_KEEP),
        verdict=Verdict.WARNING,
        values={"says_keep_alive": True, "what": "closed"},
    ),
    Violation(
        name="closes without saying so",
        probe="as_announced",
        script=serves(HELLO),
        verdict=Verdict.WARNING,
        values={"says_keep_alive": False, "what": "closed"},
    ),
    Violation(
        name="sends a Keep-Alive field that Connection does not list",
        probe="as_announced",
        script=keeps(_UNLISTED),
        values={"says_keep_alive": True, "what": "answered"},
    ),
    Violation(
        name="stays open and answers no second request",
        probe="as_announced",
        script=falls_silent(HELLO),
        verdict=Verdict.WARNING,
        values={"what": "silent"},
        plan=SOON,
    ),
)
