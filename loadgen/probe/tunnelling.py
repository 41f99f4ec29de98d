"""Connections for protocols that a forwarding proxy does not speak: through a tunnel, whatever the target's scheme."""

from __future__ import annotations

from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.wire.http1.request_writer import with_defaults
from loadgen.wire.route import Route


def open_end_to_end(session: ProbeSession, *, offers_h2: bool = False) -> ProbeStream:
    """A connection whose bytes reach the target itself; through a proxy in its tunnel. Raises OpenFailure.

    offers_h2: offer HTTP/2 by ALPN, over TLS.
    """
    route = session.route
    if route.proxy is not None and not route.tunnels:
        login = route.login
        route = Route(
            route.target, sources=route.sources, proxy=route.proxy, tunnels=True, addressing=route.addressing,
            proxy_tls=route.proxy_tls,
        )  # fmt: skip
        route.login = login
    return session.open(transport=lambda: route.attempt(offers_h2=offers_h2))


def end_to_end_fields(session: ProbeSession) -> tuple[tuple[str, str], ...]:
    """The fields of a request to the target itself, Host first where the user has not given it."""
    return tuple(with_defaults(session.plan.target.host_field, session.plan.headers))
