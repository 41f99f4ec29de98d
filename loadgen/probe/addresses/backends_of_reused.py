"""Does a connection that is reused stay at one backend, or is each of its requests sent to another?"""

from __future__ import annotations

from itertools import pairwise

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.addresses.backend_marks import Marks, names_of, spread
from loadgen.probe.addresses.backends import BACKENDS, forwarded
from loadgen.probe.addresses.new_connections import NewConnections
from loadgen.probe.evenness import even_p_value, evenness_text
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.proportion import wilson
from loadgen.probe.session import ProbeSession

_CONNECTIONS = 4
_REQUESTS = 8


def _run(session: ProbeSession) -> Finding:
    found = session.finding(BACKENDS.name)
    backends = found.values.get("backends") if found is not None else None
    telling = found.values.get("told_by") if found is not None else None
    if not isinstance(backends, list) or not isinstance(telling, list):
        return unknown("the backends can't be told apart")
    if len(backends) < 2:
        return Finding(verdict=Verdict.OK, measured="one backend alone was seen")
    rows, lengths = _asked(session)
    names = names_of(rows, list(map(str, telling)), session.plan.backend_header)
    each, start = [], 0
    for length in lengths:
        each.append(names[start : start + length])
        start += length
    pairs = [one == before for carried in each for before, one in pairwise(carried)]
    if not pairs:
        return unknown("no connection carried a second request")
    return _finding(each, pairs)


def _finding(each: list[list[str]], pairs: list[bool]) -> Finding:
    names = [name for carried in each for name in carried]
    counts = spread(names)
    low, high = wilson(sum(pairs), len(pairs))
    is_sticky = all(pairs)
    p_value = None if is_sticky else even_p_value(list(counts.values()))
    values: dict[str, FindingValue] = {
        "connections": len(each),
        "requests": len(names),
        "same_backend_share": sum(pairs) / len(pairs),
        "same_backend_low": low,
        "same_backend_high": high,
        "is_sticky": is_sticky,
        "backends": list(counts),
        "counts": list(counts.values()),
    }
    if is_sticky:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{len(each)} connections stayed at one backend each ({low:.0%} or more do)",
            values=values,
            advice="few long-lived connections load the backends unevenly: use many times as many connections as "
            "backends, or limit the requests or the lifetime of a connection",
            topic="balancing",
        )
    return Finding(
        verdict=Verdict.OK,
        measured=f"spread by request: next at the same backend {sum(pairs) / len(pairs):.0%} ({low:.0%} to {high:.0%})"
        f"{evenness_text(p_value)}",
        values=values | ({} if p_value is None else {"even_p": p_value}),
    )


def _asked(session: ProbeSession) -> tuple[list[Marks], list[int]]:
    """The marks of each response, and how many of them each connection carried."""
    rows: list[Marks] = []
    lengths: list[int] = []
    connections = NewConnections(session)
    for _ in range(_CONNECTIONS):
        before = len(rows)
        with connections.open() as stream:
            try:
                for _ in range(_REQUESTS):
                    reply = session.ask(stream)
                    rows.append(connections.marks_of(reply, stream))
                    if not reply.persists:
                        break
            except NoResponse:
                if not rows:
                    raise
        lengths.append(len(rows) - before)
    return rows, lengths


BACKENDS_OF_REUSED = Probe(
    name="backends_of_reused",
    title="Backends, reused connections",
    question="Does a reused connection stay at one backend, or is each of its requests sent to another?",
    method=f"{_REQUESTS} requests on each of {_CONNECTIONS} connections, if more than one backend was seen.",
    section="",
    values={
        "connections": "connections that were reused",
        "requests": "requests on them",
        "same_backend_share": "how often the next request on a connection was answered by the same backend",
        "same_backend_low": "lower end of its interval of 95 % (Wilson)",
        "same_backend_high": "upper end",
        "is_sticky": "no connection ever changed its backend",
        "backends": "the backends that were seen, the most frequent first",
        "counts": "how many of the requests each answered",
        "even_p": "how probable counts this uneven are if all backends get the same (chi-squared)",
    },
    requests=_CONNECTIONS * _REQUESTS,
    connections=_CONNECTIONS,
    run=_run,
    needs=(BACKENDS.name,),
    not_for=forwarded,
)
