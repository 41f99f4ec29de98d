"""Probes: TLS. In the order of the table."""

from __future__ import annotations

from loadgen.probe.probe import Probe
from loadgen.probe.tls.tls_certificate import TLS_CERTIFICATE
from loadgen.probe.tls.tls_close_notify import TLS_CLOSE_NOTIFY
from loadgen.probe.tls.tls_early_data import TLS_EARLY_DATA
from loadgen.probe.tls.tls_handshake_time import TLS_HANDSHAKE_TIME
from loadgen.probe.tls.tls_negotiated import TLS_NEGOTIATED
from loadgen.probe.tls.tls_resumption import TLS_RESUMPTION
from loadgen.probe.tls.tls_sni import TLS_SNI
from loadgen.probe.tls.tls_ticket_life import TLS_TICKET_LIFE
from loadgen.probe.tls.tls_ticket_uses import TLS_TICKET_USES
from loadgen.probe.tls.tls_tickets import TLS_TICKETS
from loadgen.probe.tls.tls_versions import TLS_VERSIONS

PROBES: tuple[Probe, ...] = (
    TLS_VERSIONS,
    TLS_NEGOTIATED,
    TLS_CERTIFICATE,
    TLS_SNI,
    TLS_HANDSHAKE_TIME,
    TLS_TICKETS,
    TLS_TICKET_USES,
    TLS_RESUMPTION,
    TLS_TICKET_LIFE,
    TLS_EARLY_DATA,
    TLS_CLOSE_NOTIFY,
)
