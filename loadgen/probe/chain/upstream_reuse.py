"""Does the proxy reuse its connections to the origin?"""

from __future__ import annotations

from contextlib import suppress

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.chain.origin import ASKED_AT_MOST, NOT_TOLD, Arrival, ask_arrival, no_chain
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_REQUESTS = 4
_CONNECTIONS = 4


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        same = [ask_arrival(session, stream)]
        # A proxy that closes its client's connection, said or unsaid, has another subject's finding.
        with suppress(NoResponse):
            while same[-1] is not None and len(same) < _REQUESTS:
                same.append(ask_arrival(session, stream))
    others = []
    for _ in range(_CONNECTIONS if None not in same else 0):
        with session.open() as stream:
            others.append(ask_arrival(session, stream))
    arrivals = [one for one in (*same, *others) if one is not None]
    if not others or len(arrivals) < len(same) + len(others):
        return unknown(NOT_TOLD)
    return judge(arrivals[: len(same)], arrivals[len(same) :])


def judge(same: list[Arrival], others: list[Arrival]) -> Finding:
    """The finding. same: of the requests on one connection of a client; others: of those on a connection each."""
    seen, reused = set[int](), list[bool]()
    for number, _ in (*same, *others):
        reused.append(number in seen)
        seen.add(number)
    by_same, by_others = sum(reused[: len(same)]), sum(reused[len(same) :])
    asks_close = all(one.asks_close for one in (*same, *others))
    values: dict[str, FindingValue] = {
        "same_reused": by_same, "same_requests": len(same) - 1,
        "others_reused": by_others, "others_requests": len(others),
        "asks_close": asks_close,
    }  # fmt: skip
    if not by_same and not by_others:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"a new connection to the origin for each of {len(reused)} requests"
            + (": the proxy asks for a close" if asks_close else ""),
            values=values,
            advice="each request pays for a connection behind the proxy; let the proxy keep connections to the origin"
            + (", and send it neither HTTP/1.0 nor Connection: close" if asks_close else ""),
            topic="upstream_keep_alive",
        )
    measured = f"{by_same} of {len(same) - 1} for one client, {by_others} of {len(others)} across clients"
    if by_others:
        return Finding(verdict=Verdict.OK, measured=measured, values=values)
    return Finding(
        verdict=Verdict.NOTE,
        measured=measured,
        values=values,
        advice="the first request of each client's connection pays for one behind the proxy too, which shares none "
        "between clients, or has several processes that do not",
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
        "asks_close": "each request came with Connection: close, or in HTTP/1.0 without keep-alive",
    },
    requests=_REQUESTS + _CONNECTIONS + ASKED_AT_MOST,
    connections=1 + _CONNECTIONS,
    run=_run,
    not_for=no_chain,
)
