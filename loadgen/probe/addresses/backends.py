"""Which backends answer behind one address, and how evenly are new connections spread over them?"""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, count
from loadgen.probe.addresses.backend_marks import (
    Marks,
    comes_back,
    names_of,
    spread,
    telling_marks,
)
from loadgen.probe.addresses.new_connections import NewConnections
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.evenness import UNEVEN_P, even_p_value, evenness_text
from loadgen.probe.failures import NoResponse, OpenFailure, ProbeFailure
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.proportion import largest_unseen, wilson
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import all_side_by_side

_CONNECTIONS = 32
_AT_ONCE = 4
_MIN_CONNECTIONS = 8
_MAX_NS = 5 * NS_PER_S
_MAX_NAME_LENGTH = 12


def forwarded(plan: AuditPlan) -> str:
    """Why the backends can't be seen; empty where they can."""
    if plan.is_forwarded:
        return "the proxy's own connections reach the backends"
    return ""


def _run(session: ProbeSession) -> Finding:
    rows, failures = _asked(session)
    header = session.plan.backend_header
    if not rows:
        raise failures[-1] if failures else ProbeFailure("no response of the usual kind came in the time allowed")
    telling = [header] if header else telling_marks(rows)
    names = names_of(rows, telling, header)
    values: dict[str, FindingValue] = {"connections": len(rows), "failed": len(failures), "told_by": telling}
    if why := _untold(rows, names, header):
        return Finding(
            verdict=Verdict.UNKNOWN,
            measured=why,
            values=values,
            advice="name a response field that says which backend answered with --backend-header",
        )
    counts = spread(names)
    p_value = even_p_value(list(counts.values()))
    intervals = [wilson(number, len(rows)) for number in counts.values()]
    is_uneven = p_value is not None and p_value < UNEVEN_P
    return Finding(
        verdict=Verdict.NOTE if is_uneven else Verdict.OK,
        measured=_text(counts, p_value),
        values={
            **values,
            "backends": list(counts),
            "counts": list(counts.values()),
            "low_shares": [low for low, _ in intervals],
            "high_shares": [high for _, high in intervals],
            "unseen_high_share": largest_unseen(len(rows)),
            **({} if p_value is None else {"even_p": p_value}),
        },
        advice="new connections are not spread evenly: look at the balancer's weights and its method"
        if is_uneven
        else None,
        topic="balancing" if is_uneven else None,
    )


def _asked(session: ProbeSession) -> tuple[list[Marks], list[OpenFailure | NoResponse]]:
    """The marks of one response on each of many new connections, in the order in which they came."""
    rows: list[Marks] = []
    failures: list[OpenFailure | NoResponse] = []
    until_ns = session.until_ns(_MAX_NS)

    def ask() -> None:
        connections = NewConnections(session)
        for _ in range(_CONNECTIONS // _AT_ONCE):
            if session.now_ns() >= until_ns:
                return
            try:
                with connections.open() as stream:
                    reply = session.ask(stream, session.request(connection="close"))
                    if not session.is_limited(reply.head.status):
                        rows.append(connections.marks_of(reply, stream))
            except (OpenFailure, NoResponse) as error:
                failures.append(error)

    all_side_by_side([ask] * _AT_ONCE)
    return rows, failures


def _untold(rows: Sequence[Marks], names: Sequence[str], header: str) -> str:
    """Why the backends can't be told apart; empty where they can."""
    if len(rows) < _MIN_CONNECTIONS:
        return f"only {count(len(rows), 'response')} in the time allowed"
    if not header:
        return "" if len(set(names)) > 1 else f"nothing in {len(rows)} responses tells backends apart"
    if not any(header in row for row in rows):
        return f"no response has the field {header}"
    if len(set(names)) > 1 and not comes_back(names) and len(set(names)) > len(rows) / 2:
        return f"{header} has {len(set(names))} values in {len(rows)} responses: it seems to name requests"
    return ""


def _text(counts: dict[str, int], p_value: float | None) -> str:
    total = sum(counts.values())
    if len(counts) == 1:
        return f"1 backend in {total} connections; another has at most {largest_unseen(total):.0%}"
    shown = ", ".join(f"{name[:_MAX_NAME_LENGTH]} {number}" for name, number in counts.items())
    return f"{len(counts)} backends: {shown} of {total} connections{evenness_text(p_value)}"


BACKENDS = Probe(
    name="backends",
    title="Backends, new connections",
    question="Which backends answer behind the address, and how evenly are new connections spread over them?",
    method=f"One request on each of up to {_CONNECTIONS} new connections; backends are told apart by the field of "
    "--backend-header, or by certificates, fields, cookies, clocks and TCP options that come back in turns.",
    section="",
    values={
        "connections": "new connections that got a response",
        "failed": "those that got none",
        "told_by": "what tells the backends apart",
        "backends": "the backends that were seen, the most frequent first",
        "counts": "how many of the connections each answered",
        "low_shares": "lower end of the interval of 95 % for the share of each (Wilson)",
        "high_shares": "upper end",
        "unseen_high_share": "the largest share of a backend that may not have been seen (95 %)",
        "even_p": "how probable counts this uneven are if all backends get the same (chi-squared)",
    },
    requests=_CONNECTIONS,
    connections=_CONNECTIONS,
    run=_run,
    not_for=forwarded,
)
