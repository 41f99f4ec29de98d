"""TLS connections of a probe's own making: other versions, names or sessions than usual, and what the server said.

Without a proxy or through its tunnel. Judges nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import OpenFailure
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.wire.openssl import lib
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import HTTP1_ALONE, client_context
from loadgen.wire.tls_facts import TLS_1_2, TLS_1_3, HandshakeFacts, HandshakeLog

# OpenSSL offers versions and ciphers that RFC 8996 forbids at this level alone.
_ALL_CIPHERS = b"ALL:@SECLEVEL=0"


def not_for(plan: AuditPlan) -> str:
    """Why probes of TLS do not apply; empty where they do."""
    return "" if plan.target.is_tls else "the target does not use TLS"


class Visit(NamedTuple):
    """One connection that was opened and closed again."""

    handshake_ns: int
    resumed: bool
    session: Any
    """What the next connection may offer."""
    facts: HandshakeFacts
    negotiated: dict[str, str | None]
    """Version, cipher, group and application protocol."""


class TlsClient:
    """Opens connections of one kind, one after another. Raises PlanError where the plan's `cacert` can't be used.

    versions: the lowest and the highest that it speaks. verifies: refuses what the user would; without it no request
    must be sent. names_server: sends the target's name (SNI). groups: for the key exchange, the preferred one first.
    tickets: takes tickets, with TLS 1.2. alpn: the protocols that it offers, none where empty.
    """

    def __init__(
        self,
        session: ProbeSession,
        *,
        versions: tuple[int, int] = (TLS_1_2, TLS_1_3),
        verifies: bool | None = None,
        names_server: bool = True,
        groups: bytes = b"",
        tickets: bool = True,
        alpn: tuple[bytes, ...] = HTTP1_ALONE,
    ) -> None:
        plan = session.plan
        insecure = plan.insecure if verifies is None else not verifies
        host = plan.tls.server_name(plan.target.tls_name)
        context = client_context(host, plan.cacert, insecure, alpn, certificate=session.route.certificate)
        context.set_min_proto_version(versions[0])
        context.set_max_proto_version(versions[1])
        if versions[0] < TLS_1_2:
            context.set_cipher_list(_ALL_CIPHERS)
        if groups:
            lib.SSL_CTX_set1_curves_list(context._context, groups)
        if not tickets:
            context.set_options(lib.SSL_OP_NO_TICKET)
        self._session = session
        self._context = context
        self._log = HandshakeLog(context)
        self._name = session.route.server_name if names_server else b""

    @property
    def facts(self) -> HandshakeFacts:
        """What the server said on the connection that was opened last, even where its handshake failed."""
        return self._log.newest

    def open(self, offered: Any = None) -> ProbeStream:
        """A connection that offers this session, if any. Raises OpenFailure or OverBudget."""
        route = self._session.route
        return self._session.open(transport=lambda: route.tls_transport(self._context, self._name, offered))

    def visit(self, offered: Any = None, *, asks: bool = False) -> Visit:
        """Open one and close it. asks: with a request, behind whose response every ticket has come.

        Raises OpenFailure, NoResponse or OverBudget.
        """
        with self.open(offered) as stream:
            transport = stream.transport
            handshake_ns, facts = stream.opened_ns - stream.tls_begun_ns, self.facts
            if asks:
                self._session.ask(stream)
            assert isinstance(transport, TlsTransport)
            return Visit(handshake_ns, transport.resumed, transport.session, facts, transport.describe())

    def refusal(self) -> str:
        """Open one and close it: how its handshake failed, in words; empty where it did not. Raises OpenFailure."""
        try:
            self.visit()
        except OpenFailure as error:
            if error.stage != "tls":
                raise
            return str(error)
        return ""

    def chain(self) -> list[bytes]:
        """The certificates that a handshake shows, even one that fails after them, say for want of a client's own.

        Raises OpenFailure where there are none.
        """
        try:
            self.visit()
        except OpenFailure:
            if not self.facts.certificates:
                raise
        return self.facts.certificates
