"""The TLS contexts of a route: one for each client certificate, with HTTP/2 offered and without, made when needed.

Opens nothing.
"""

from __future__ import annotations

from itertools import chain

from loadgen.model.route_plan import RoutePlan
from loadgen.model.tls_settings import TlsSettings
from loadgen.wire.client_certificates import ClientCertificate, load_certificates
from loadgen.wire.early_data import watch_early_data
from loadgen.wire.tls_context import ClientContext, check_hello, client_context

Pair = tuple[ClientContext, ClientContext]
"""Without HTTP/2, and with it."""


class TlsContexts:
    """Those of a plan. Raises PlanError where its certificates, or what it offers, can't be used."""

    def __init__(self, plan: RoutePlan) -> None:
        self._plan = plan
        self._certificates: tuple[ClientCertificate | None, ...] = load_certificates(plan.tls.identity) or (None,)
        self._made: dict[tuple[TlsSettings, bool], tuple[Pair, ...]] = {}
        self._first: ClientContext | None = None

    @property
    def certificate(self) -> ClientCertificate | None:
        """The first user's."""
        return self._certificates[0]

    def of(self, settings: TlsSettings, sends_early: bool = False) -> tuple[Pair, ...]:
        """The contexts of each certificate, for what a block offers. Raises PlanError.

        sends_early: early data is sent on their connections.
        """
        made = self._made.get((settings, sends_early))
        if made is None:
            check_hello(self._context(settings, self._certificates[0], speaks_h2=False), settings)
            made = tuple(self._pair(settings, one) for one in self._certificates)
            for context in chain.from_iterable(made if sends_early else ()):
                watch_early_data(context)
            self._made[settings, sends_early] = made
        return made

    def _pair(self, settings: TlsSettings, certificate: ClientCertificate | None) -> Pair:
        # Some servers refuse a client that offers nothing by ALPN, so HTTP/1.1 is offered too.
        return (
            self._context(settings, certificate, speaks_h2=False),
            self._context(settings, certificate, speaks_h2=True),
        )

    def _context(
        self, settings: TlsSettings, certificate: ClientCertificate | None, *, speaks_h2: bool
    ) -> ClientContext:
        plan = self._plan
        host = settings.server_name(plan.target.tls_name)
        offered = tuple(name.encode("ascii") for name in settings.offered(speaks_h2))
        made = client_context(host, plan.cacert, plan.insecure, offered, settings, certificate, self._first)
        self._first = made
        return made
