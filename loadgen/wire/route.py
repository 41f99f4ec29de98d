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

    Connections go to the first address; the runner drops one that refuses while others are left. sources: local
    addresses to connect from, taken in turns; empty to leave it to the kernel.
    """

    target: Target
    tls_context: Any = None
    addresses: list[Address] = field(default_factory=list)
    sources: tuple[str, ...] = ()
    _refused: list[Address] = field(default_factory=list)
    _turn: int = 0

    @classmethod
    def to(cls, target: Target, cacert: str | None, insecure: bool, sources: tuple[str, ...] = ()) -> Route:
        """Raises PlanError where `cacert` can't be used."""
        context = client_context(target.host, cacert, insecure) if target.is_tls else None
        return cls(target, context, sources=sources)

    def learn(self, found: list[Address]) -> Address:
        """Take what the resolver found just now; gives the address to connect to."""
        usable = [address for address in found if address not in self._refused]
        self.addresses[:] = usable or found
        return self.addresses[0]

    def refuse(self) -> None:
        """The first address does not answer: leave it out from now on."""
        self._refused.append(self.addresses.pop(0))

    def transport(self, session: Any = None) -> Transport:
        """A new, unconnected stream; `session` is a TLS session to offer."""
        source = None
        if self.sources:
            source = self.sources[self._turn % len(self.sources)]
            self._turn += 1
        if self.tls_context is None:
            return TcpTransport(source=source)
        server_name = b"" if self.target.is_ip_literal else self.target.host.encode("ascii")
        return TlsTransport(self.tls_context, server_name, session, source=source)
