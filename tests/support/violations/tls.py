"""Servers that end a connection without ending TLS."""

from __future__ import annotations

import socket

from tests.support.secure_servers import SecureServer, in_turns, server_context
from tests.support.violations.violation import Violation


def _says_no_goodbye(connection: socket.socket, number: int) -> None:
    SecureServer(in_turns(server_context()), says_goodbye=False).script(connection, number)


TLS = (
    Violation(
        name="closes without close_notify",
        probe="tls_close_notify",
        script=_says_no_goodbye,
        is_tls=True,
        plan={"insecure": True},
        values={"close_notify": False},
    ),
)
