"""How many of the sessions that a client offers are resumed? Backends without a shared key resume about 1/n."""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.proportion import wilson
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.probe.tls.tls_ticket_uses import TLS_TICKET_USES

_OFFERS = 24


def judge(resumed: int, offers: int) -> Finding:
    """The finding of `resumed` sessions out of those that were offered."""
    low, high = wilson(resumed, offers)
    values: dict[str, FindingValue] = {
        "resumed": resumed, "offers": offers,
        "resumed_share": resumed / offers, "resumed_low_share": low, "resumed_high_share": high,
    }  # fmt: skip
    measured = f"{resumed} of {offers} ({low:.0%} to {high:.0%})"
    if resumed == offers:
        return Finding(verdict=Verdict.OK, measured=measured, values=values, topic="tls_session")
    if not resumed:
        return Finding(
            verdict=Verdict.NOTE,
            measured=measured,
            values=values,
            advice="each new connection pays for a full handshake; switch session tickets or a session cache on",
            topic="tls_session",
        )
    values["backends"] = round(offers / resumed)
    return Finding(
        verdict=Verdict.WARNING,
        measured=measured,
        values=values,
        advice="it depends on chance whether a session is resumed: let all backends share the keys of their tickets, "
        "or their session cache",
        topic="tls_ticket_keys",
    )


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    uses = session.finding(TLS_TICKET_USES.name)
    is_single_use = uses is not None and uses.values.get("single_use") is True
    first = client.visit(asks=True)
    offered, resumed = first.session, list[bool]()
    # A session that is about to end by its age says nothing about the backends.
    lifetime_ns = first.facts.lifetime_s * NS_PER_S
    until_ns = session.until_ns(lifetime_ns // 2) if lifetime_ns else session.deadline_ns
    while len(resumed) < _OFFERS and not (resumed and session.now_ns() > until_ns):
        # The same one each time, as far as that may be: two backends in turns would never see their own again.
        visit = client.visit(offered, asks=is_single_use)
        resumed.append(visit.resumed)
        if is_single_use:
            offered = visit.session
    return judge(sum(resumed), len(resumed))


TLS_RESUMPTION = Probe(
    name="tls_resumption",
    title="Resumption rate",
    question="How many of the sessions that a client offers are resumed?",
    method=f"One session is offered on {_OFFERS} new connections, one after another, for half of its "
    "lifetime at most; where a session may be used once alone, each connection offers the one before it.",
    section="RFC 8446 §2.2",
    values={
        "resumed": "connections whose session was really resumed",
        "offers": "connections that offered one",
        "resumed_share": "share of them",
        "resumed_low_share": "lower end of its interval (95 %, Wilson)",
        "resumed_high_share": "upper end",
        "backends": "about as many backends without shared keys would resume this share; absent where all or none were",
    },
    requests=1 + _OFFERS,
    connections=1 + _OFFERS,
    run=_run,
    needs=(TLS_TICKET_USES.name,),
    not_for=not_for,
)
