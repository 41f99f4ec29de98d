"""Does the proxy reuse its connections to the origin?"""

from __future__ import annotations

from contextlib import suppress

from loadgen.model.audit import Verdict
from loadgen.probe.chain.origin import ASKED_AT_MOST, NOT_TOLD, ask_number, no_chain
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_REQUESTS = 4
_CONNECTIONS = 4


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        same = [ask_number(session, stream)]
        # A proxy that closes its client's connection, said or unsaid, has another subject's finding.
        with suppress(NoResponse):
            while same[-1] is not None and len(same) < _REQUESTS:
                same.append(ask_number(session, stream))
    if None in same:
        return unknown(NOT_TOLD)
    others = []
    for _ in range(_CONNECTIONS):
        with session.open() as stream:
            others.append(ask_number(session, stream))
    seen: set[int | None] = set()
    reused = []
    for number in (*same, *others):
        reused.append(number in seen)
        seen.add(number)
    by_same, by_others = sum(reused[: len(same)]), sum(reused[len(same) :])
    values = {
        "same_reused": by_same,
        "same_requests": len(same) - 1,
        "others_reused": by_others,
        "others_requests": len(others),
    }
    if by_same or by_others:
        measured = f"{by_same} of {len(same) - 1} for one client, {by_others} of {len(others)} across clients"
        return Finding(verdict=Verdict.OK, measured=measured, values=values)
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"a new connection to the origin for each of {len(reused)} requests",
        values=values,
        advice="each request pays for a connection behind the proxy; let the proxy keep connections to the origin",
        topic="upstream_keep_alive",
    )


UPSTREAM_REUSE = Probe(
    name="upstream_reuse",
    title="Reuse behind the proxy",
    question="Does the proxy reuse its connections to the origin?",
    method="The origin, a `loadgen target`, tells which of its connections each request came on.",
    section="",
    values={
        "same_reused": "requests of one client connection that came on a reused connection to the origin",
        "same_requests": "of how many",
        "others_reused": "the same for requests that each had a client connection of their own",
        "others_requests": "of how many",
    },
    requests=_REQUESTS + _CONNECTIONS + ASKED_AT_MOST,
    connections=1 + _CONNECTIONS,
    run=_run,
    not_for=no_chain,
)
