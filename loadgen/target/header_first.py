"""Reads the header of the PROXY protocol by which a connection begins, and no byte more. Knows no TLS and no HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from loadgen.target.account import Account
from loadgen.target.header_reading import MAX_BYTES, read_header
from loadgen.wire.transport import READ, TcpTransport


class HeaderFirst:
    """One connection's. begin: called once the header is read; refuse: where there is none."""

    def __init__(
        self, transport: TcpTransport, account: Account, begin: Callable[[], None], refuse: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._account = account
        self._begin = begin
        self._refuse = refuse
        self._data = b""

    def on_readable(self) -> None:
        """Bytes have come, or the connection has ended."""
        sock: Any = self._transport.socket
        try:
            seen = sock.recv(MAX_BYTES, socket.MSG_PEEK)
            header = read_header(self._data + seen) if seen else None
            if not seen:
                raise ValueError("it has ended")
            # What follows the header is for others.
            taken = len(seen) if header is None else header.size - len(self._data)
            self._data += sock.recv(taken)
            if header is None:
                return
            self._account.announced(header.version, header.source, sock.getpeername()[:2])
        except (OSError, ValueError):
            self._refuse()
            return
        self._transport.watch(READ, self._begin)
        self._begin()
