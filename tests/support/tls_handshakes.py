"""TLS handshakes in memory, between two contexts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from OpenSSL import SSL


def handshake(client: SSL.Context, server: SSL.Context, session: Any = None) -> tuple[SSL.Connection, SSL.Connection]:
    """Both sides of a connection, their handshakes done. Raises SSL.Error where one of them refuses the other."""
    sides = SSL.Connection(client, None), SSL.Connection(server, None)
    sides[0].set_connect_state()
    sides[1].set_accept_state()
    if session is not None:
        sides[0].set_session(session)
    for _ in range(4):
        for one, other in (sides, sides[::-1]):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            carry(one, other)
    return sides


def carry(source: SSL.Connection, to: SSL.Connection) -> None:
    """Bytes of one side to the other."""
    with suppress(SSL.WantReadError):
        to.bio_write(source.bio_read(1 << 20))
