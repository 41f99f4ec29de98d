"""For how long does the server really take a ticket, as far as the time allows (RFC 8446 §4.6.1)?"""

from __future__ import annotations

from typing import Any

from gevent import sleep

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for
from loadgen.probe.tls.tls_resumption import TLS_RESUMPTION
from loadgen.probe.tls.tls_tickets import lifetime_text

_SHARES = tuple(eighth / 8 for eighth in range(1, 9))
"""Of the time that is waited: when tickets are offered."""
_EARLY_NS = NS_PER_S
"""Both sides count whole seconds: a ticket is offered that much before its announced end at the latest."""
_LATE_NS = NS_PER_S // 4
"""One that is offered later than that after its time may be refused by right."""
_UNBOUNDED_SHARE = 4
"""Where tickets are said to live longer than can be waited for, only this part of the time is spent on it."""


def wait_for(plan: AuditPlan, lifetime_ns: int) -> int:
    """How long to wait for a ticket that is said to live for `lifetime_ns` (0: not said), in ns."""
    if 0 < lifetime_ns <= plan.idle_max_ns:
        return max(lifetime_ns // 2, lifetime_ns - _EARLY_NS)
    return plan.idle_max_ns // _UNBOUNDED_SHARE


def judge(taken_ns: int, refused_ns: int | None, lifetime_ns: int) -> Finding:
    """The finding of a ticket that was taken at one age, and refused at another, if any, before its announced end."""
    announced = lifetime_text(lifetime_ns // NS_PER_S)
    values: dict[str, FindingValue] = {"taken_ns": taken_ns}
    if lifetime_ns:
        values["lifetime_ns"] = lifetime_ns
    if refused_ns is None:
        return Finding(
            verdict=Verdict.OK,
            measured=f"at least {format_duration(taken_ns)}",
            announced=announced,
            values=values,
            topic="tls_session",
        )
    return Finding(
        verdict=Verdict.WARNING if lifetime_ns else Verdict.NOTE,
        measured=f"between {format_duration(taken_ns)} and {format_duration(refused_ns)}",
        announced=announced,
        values={**values, "refused_ns": refused_ns},
        advice="the server forgets tickets before their time; keep its keys or its cache for as long as it announces"
        if lifetime_ns
        else None,
        topic="tls_session",
    )


def _run(session: ProbeSession) -> Finding:
    rate = session.finding(TLS_RESUMPTION.name)
    share = None if rate is None else rate.values["resumed_share"]
    if share != 1:
        how = "no session is resumed" if share == 0 else "not every new session is resumed"
        return unknown(f"{how}, so that an old one says nothing")
    client = TlsClient(session)
    first = client.visit(asks=True)
    lifetime_ns = first.facts.lifetime_s * NS_PER_S
    tickets = [(session.now_ns(), first.session)]
    tickets += [_ticket(session, client) for _ in _SHARES[1:]]
    wait_ns = wait_for(session.plan, lifetime_ns)
    begun_ns = session.now_ns()
    session.waiting_for = "tickets to grow old"
    session.waiting_until_ns = session.until_ns(wait_ns)
    taken_ns = 0
    # The youngest one first, so that each is older than the one before it.
    for share, (born_ns, offered) in zip(_SHARES, reversed(tickets), strict=True):
        due_ns = min(begun_ns + int(wait_ns * share), session.deadline_ns)
        sleep(max(0, due_ns - session.now_ns()) / NS_PER_S)
        age_ns = session.now_ns() - born_ns
        if not client.visit(offered).resumed:
            is_late = lifetime_ns and age_ns > lifetime_ns - _EARLY_NS + _LATE_NS
            return judge(taken_ns, None if is_late else age_ns, lifetime_ns)
        taken_ns = age_ns
    return judge(taken_ns, None, lifetime_ns)


def _ticket(session: ProbeSession, client: TlsClient) -> tuple[int, Any]:
    found = client.visit(asks=True).session
    return session.now_ns(), found


TLS_TICKET_LIFE = Probe(
    name="tls_ticket_life",
    title="Life of a ticket",
    question="For how long does the server take a ticket?",
    method=f"{len(_SHARES)} sessions, each offered once, at growing ages: up to a second before the announced end, "
    "where that is within --idle-max, else up to a quarter of --idle-max.",
    section="RFC 8446 §4.6.1",
    values={
        "taken_ns": "highest age at which one was resumed",
        "refused_ns": "age at which one was not; absent where all were",
        "lifetime_ns": "for how long the server says that it may be used; absent where it does not say",
    },
    requests=len(_SHARES),
    connections=2 * len(_SHARES),
    run=_run,
    waits=True,
    needs=(TLS_RESUMPTION.name,),
    not_for=not_for,
)
