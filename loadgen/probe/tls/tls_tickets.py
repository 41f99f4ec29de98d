"""How does the server let clients resume: by tickets or by session ids, and for how long (RFC 8446 §4.6.1)?"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import OpenFailure
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.wire.tls_facts import TLS_1_2, TLS_1_3, Ticket

MAX_LIFETIME_S = 7 * 24 * 3600
"""RFC 8446 §4.6.1: servers MUST NOT announce more."""


def lifetime_text(lifetime_s: int) -> str | None:
    """What the server says of how long a ticket may be used; None where it says nothing (0)."""
    if not lifetime_s:
        return None
    return f"for {lifetime_s / 3600:g} h" if lifetime_s >= 3600 else f"for {lifetime_s} s"


class Offers(NamedTuple):
    """What the server lets clients resume by."""

    is_1_3: bool
    """It speaks TLS 1.3."""
    tickets: tuple[Ticket, ...]
    """Of TLS 1.3, where it speaks that, else of TLS 1.2."""
    tls13_ticket: bool = False
    """With TLS 1.3 a ticket was resumed."""
    is_1_2: bool = False
    """It speaks TLS 1.2,"""
    tls12_ticket: bool = False
    """with which a ticket was resumed,"""
    tls12_session_id: bool = False
    """or a session id."""


def judge(offers: Offers) -> Finding:
    """The finding of what was offered."""
    tickets = offers.tickets
    lifetime_s = max((one.lifetime_s for one in tickets), default=0)
    values: dict[str, FindingValue] = {
        "tickets": len(tickets),
        "tls13_ticket": offers.tls13_ticket,
        "tls12_ticket": offers.tls12_ticket,
        "tls12_session_id": offers.tls12_session_id,
        "max_early_data_bytes": max((one.max_early_data_bytes for one in tickets), default=0),
    }
    if tickets:
        values["lifetime_ns"] = lifetime_s * NS_PER_S
    announced = lifetime_text(lifetime_s)
    measured = _text(offers)
    if offers.is_1_3 and lifetime_s > MAX_LIFETIME_S:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=measured,
            announced=announced,
            values=values,
            advice="announce seven days or less",
            topic="tls_session",
        )
    if not (offers.tls13_ticket or offers.tls12_ticket or offers.tls12_session_id):
        return Finding(
            verdict=Verdict.NOTE,
            measured=measured,
            announced=announced,
            values=values,
            advice="each new connection pays for a full handshake; switch session tickets or a session cache on",
            topic="tls_session",
        )
    return Finding(verdict=Verdict.OK, measured=measured, announced=announced, values=values, topic="tls_session")


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    usual = client.visit(asks=True)
    is_1_3 = usual.facts.version == TLS_1_3
    taken = is_1_3 and client.visit(usual.session).resumed
    by_ticket, by_id = (_resume_tls12(session, tickets=tickets) for tickets in (True, False))
    return judge(
        Offers(
            is_1_3=is_1_3,
            tickets=tuple(usual.facts.tickets),
            tls13_ticket=taken,
            is_1_2=by_ticket is not None,
            tls12_ticket=by_ticket is _Resumed.TICKET,
            tls12_session_id=by_id is _Resumed.SESSION_ID,
        )
    )


class _Resumed(Enum):
    """How a session was resumed."""

    NOT = auto()
    TICKET = auto()
    SESSION_ID = auto()


def _resume_tls12(session: ProbeSession, *, tickets: bool) -> _Resumed | None:
    """How a session of TLS 1.2 was resumed; None where the server does not speak it. tickets: as a client of them."""
    client = TlsClient(session, versions=(TLS_1_2, TLS_1_2), tickets=tickets)
    try:
        first = client.visit()
        again = client.visit(first.session)
    except OpenFailure as error:
        if error.stage != "tls":
            raise
        return None
    if not again.resumed:
        return _Resumed.NOT
    return _Resumed.TICKET if first.facts.tickets else _Resumed.SESSION_ID


def _text(offers: Offers) -> str:
    parts = []
    if offers.is_1_3:
        count = len(offers.tickets)
        sent = f"{count or 'no'} ticket{'' if count == 1 else 's'} a connection"
        parts.append(f"TLS 1.3: {sent}{', not resumed' if count and not offers.tls13_ticket else ''}")
    if not offers.is_1_2:
        return "; ".join(parts)
    offered = (("ticket", offers.tls12_ticket), ("session id", offers.tls12_session_id))
    ways = [way for way, is_taken in offered if is_taken]
    parts.append(f"TLS 1.2: by {' or '.join(ways)}" if ways else "TLS 1.2: nothing to resume")
    return "; ".join(parts)


TLS_TICKETS = Probe(
    name="tls_tickets",
    title="Session tickets",
    question="By what can a client resume a session, and for how long?",
    method="One connection with a request, behind whose response every ticket has come, and one that offers the last "
    "one; with TLS 1.2 alone a ticket, and a session id, are offered too.",
    section="RFC 8446 §4.6.1",
    values={
        "tickets": "tickets that came on one connection",
        "tls13_ticket": "with TLS 1.3 a ticket was resumed",
        "tls12_ticket": "with TLS 1.2 a ticket was resumed",
        "tls12_session_id": "with TLS 1.2 a session was resumed by its id, so the server keeps sessions itself",
        "lifetime_ns": "for how long the server says that a ticket may be used (0: it does not say)",
        "max_early_data_bytes": "how much data a client may send before its handshake is done (0: none)",
    },
    requests=1,
    connections=6,
    run=_run,
    not_for=not_for,
)
