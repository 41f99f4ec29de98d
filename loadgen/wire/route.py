"""The way to the target that all connections share: its addresses and its TLS context. Opens nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loadgen.model.target import Target
from loadgen.wire.tls import TlsTransport, client_context
from loadgen.wire.transport import Address, TcpTransport, Transport


@dataclass(slots=True)
class Route:
    """How to reach `target`. `addresses` is empty until the first connection has resolved the name.

    Connections go to the first address; the runner drops one that refuses while others are left.
    """

    target: Target
    tls_context: Any = None
    addresses: list[Address] = field(default_factory=list)

    @classmethod
    def to(cls, target: Target, cacert: str | None, insecure: bool) -> Route:
        """Raises PlanError where `cacert` can't be used."""
        return cls(target, client_context(target.host, cacert, insecure) if target.is_tls else None)

    def transport(self, session: Any = None) -> Transport:
        """A new, unconnected stream; `session` is a TLS session to offer."""
        if self.tls_context is None:
            return TcpTransport()
        server_name = b"" if self.target.is_ip_literal else self.target.host.encode("ascii")
        return TlsTransport(self.tls_context, server_name, session)
