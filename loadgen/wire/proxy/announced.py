"""Transports whose connections begin with a header of the PROXY protocol, before TLS and before any request.

The header is sent as soon as TCP is up. Nothing is waited for, so it is in no phase: sending it is the client's own
work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadgen.wire.early_data import EarlyTlsTransport
from loadgen.wire.poller import Poller
from loadgen.wire.proxy.proxy_header import proxy_header
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import Step, TcpTransport


@dataclass(slots=True)
class _HeaderToSend:
    """The header of one connection."""

    version: int
    is_sent: bool = False


class _AnnouncedSteps(TcpTransport):
    """The step that comes before those of the transport it is mixed into."""

    __slots__ = ()
    _header: _HeaderToSend

    def establish(self) -> Step:
        if not self._header.is_sent:
            TcpTransport.establish(self)
            sock: Any = self.socket
            header = proxy_header(self._header.version, sock.family, sock.getsockname(), sock.getpeername())
            # A new connection has room for it (tcp(7): tcp_wmem).
            if sock.send(header) != len(header):
                raise OSError(None, "no room for the header of the PROXY protocol")
            self._header.is_sent = True
        return super().establish()


class AnnouncedTcpTransport(_AnnouncedSteps):
    """TCP, or a socket file."""

    __slots__ = ("_header",)

    def __init__(self, poller: Poller, version: int, source: Mapping[int, str] | None = None) -> None:
        super().__init__(poller, source=source)
        self._header = _HeaderToSend(version)


class AnnouncedTlsTransport(_AnnouncedSteps, TlsTransport):
    """TLS with the target."""

    __slots__ = ("_header",)

    def __init__(
        self, poller: Poller, version: int, context: Any, server_name: bytes, session: Any = None,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        TlsTransport.__init__(self, poller, context, server_name, session, source=source)
        self._header = _HeaderToSend(version)


class AnnouncedEarlyTlsTransport(_AnnouncedSteps, EarlyTlsTransport):
    """The same, whose first request is early data."""

    __slots__ = ("_header",)

    def __init__(
        self, poller: Poller, version: int, context: Any, server_name: bytes, session: Any, request: bytes,
        source: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        EarlyTlsTransport.__init__(self, poller, context, server_name, session, request, source)
        self._header = _HeaderToSend(version)
