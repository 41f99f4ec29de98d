"""How often does the server take the same ticket (RFC 8446 §8.1 and appendix C.4)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for

_OFFERS = 4
_OFFERS_AGAIN = 2
SINGLE_USE = [True, False]
"""Taken once, and never again."""


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    taken = _offer(client, _OFFERS)
    values = {"offers": _OFFERS, "taken": sum(taken)}
    if all(taken):
        return Finding(
            verdict=Verdict.OK,
            measured=f"taken {_OFFERS} of {_OFFERS} times",
            values={**values, "single_use": False},
            topic="tls_session",
        )
    # One of several backends looks like this by chance, too, but not twice.
    if taken[:2] == SINGLE_USE and not any(taken[2:]) and _offer(client, _OFFERS_AGAIN) == SINGLE_USE:
        return Finding(
            verdict=Verdict.OK,
            measured="taken once, then refused: single use",
            values={**values, "single_use": True},
            topic="tls_session",
        )
    if not any(taken):
        return unknown("no session was resumed")
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"taken {sum(taken)} of {_OFFERS} times, in no order",
        values={**values, "single_use": False},
        advice="backends that do not share the keys of their tickets answer like this; see the resumption rate",
        topic="tls_ticket_keys",
    )


def _offer(client: TlsClient, times: int) -> list[bool]:
    """Offer one new session that often: whether it was resumed, each time."""
    session = client.visit(asks=True).session
    return [client.visit(session).resumed for _ in range(times)]


TLS_TICKET_USES = Probe(
    name="tls_ticket_uses",
    title="Uses of a ticket",
    question="How often does the server take the same ticket?",
    method=f"One session is offered {_OFFERS} times; where it is taken the first time alone, another one "
    f"{_OFFERS_AGAIN} times.",
    section="RFC 8446 §8.1",
    values={
        "offers": "how often the same session was offered",
        "taken": "how often it was resumed",
        "single_use": "each session is resumed once and no more",
    },
    requests=2,
    connections=2 + _OFFERS + _OFFERS_AGAIN,
    run=_run,
    not_for=not_for,
)
