"""The embedded target's server: accepts connections, and keeps time for them. No command line, no protocol."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import gevent
from gevent.monkey import get_original

from loadgen.model.endpoint import SOCKET_PREFIX
from loadgen.model.units import NS_PER_S
from loadgen.target.account import Account
from loadgen.target.behaviour import Behaviour
from loadgen.target.connection import ServerContext
from loadgen.target.header_first import HeaderFirst
from loadgen.target.http1 import Http1ServerConnection
from loadgen.target.responses import Responses
from loadgen.wire import poller
from loadgen.wire.early_reading import EarlyReadingTransport
from loadgen.wire.replay_guard import ReplayGuard
from loadgen.wire.syscalls import socket_file
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import READ, TcpTransport

_BACKLOG = 8192
_ACCEPTS_A_TURN = 64


class TargetServer:
    """Listens and serves. `tls_context` makes it an https server. Raises OSError if it can't listen.

    host: an address, or `unix:` and the name of a socket file, which is made, and removed at the end.
    reads_header: each connection must begin with a header of the PROXY protocol. guard: with it early data is taken.
    """

    def __init__(
        self, host: str, port: int, behaviour: Behaviour, tls_context: Any = None, reads_header: bool = False,
        guard: ReplayGuard | None = None,
    ) -> None:  # fmt: skip
        self._account = Account()
        responses = Responses(behaviour, self._account.stats, self._account.connections)
        self._context = ServerContext(behaviour, responses, self._account)
        self._tls_context = tls_context
        self._reads_header = reads_header
        self._guard = guard
        self._poller = poller.of_hub()
        self._file = host.removeprefix(SOCKET_PREFIX) if host.startswith(SOCKET_PREFIX) else ""
        family = socket.AF_UNIX if self._file else socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = get_original("socket", "socket")(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(socket_file(self._file) if self._file else (host, port))
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self.port: int = 0 if self._file else self._listener.getsockname()[1]
        loop = gevent.get_hub().loop
        self._watcher = loop.io(self._listener.fileno(), READ)
        self._watcher.start(self._accept)
        # The Date field changes each second, so responses are remembered that long.
        self._clock = loop.timer(1.0, 1.0)
        self._clock.start(self._context.responses.forget)
        if behaviour.idle_timeout_ns:
            tick_s = min(0.1, max(0.001, behaviour.idle_timeout_ns / NS_PER_S / 20))
            self._sweep = loop.timer(tick_s, tick_s)
            self._sweep.start(self._close_idle)

    def stats(self) -> dict[str, Any]:
        """The server's own account, as `Account.stats` gives it."""
        return self._account.stats()

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._watcher.close()
        self._listener.close()
        if self._file and not self._file.startswith("@"):
            Path(self._file).unlink(missing_ok=True)
        for connection in list(self._account.opened):
            connection.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, _address = self._listener.accept()
            except OSError:  # none is waiting, or it has gone, or no descriptor is left: try again when readable
                return
            sock.setblocking(False)
            if not self._file:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport: TcpTransport
            if self._tls_context is None:
                transport = TcpTransport(self._poller, sock)
                connection = Http1ServerConnection(self._context, transport)
                begin = connection.on_readable
            else:
                transport = self._secured(sock)
                connection = Http1ServerConnection(self._context, transport)
                begin = connection.begin_tls
            self._account.accepted(connection)
            if self._reads_header:
                begin = HeaderFirst(transport, self._account, begin, connection.close).on_readable
            transport.watch(READ, begin)

    def _secured(self, sock: Any) -> TlsTransport:
        if self._guard is None:
            return TlsTransport(self._poller, self._tls_context, None, accepted=sock)
        return EarlyReadingTransport(self._poller, self._tls_context, self._guard, sock)

    def _close_idle(self) -> None:
        oldest_ns = time.monotonic_ns() - self._context.behaviour.idle_timeout_ns
        for connection in self._account.opened:
            if connection.last_ns < oldest_ns and not connection.busy and not connection.is_kept:
                connection.close_idle()
