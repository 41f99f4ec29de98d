"""Servers that do not keep a connection, and do not say so."""

from __future__ import annotations

import socket

from tests.support.processes import read_request
from tests.support.violations.violation import Violation

_HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def _closes_silently(connection: socket.socket, _number: int) -> None:
    if read_request(connection):
        connection.sendall(_HELLO)


PERSISTENCE = (
    Violation(
        name="closes after each response without saying so",
        probe="persistent_by_default",
        script=_closes_silently,
        values={"answered": 1},
    ),
)
