"""Does the server announce HTTP/3 by Alt-Svc (RFC 7838, RFC 9114 §3.1)? Nothing is tried: loadgen speaks no QUIC."""

from __future__ import annotations

import re
from typing import NamedTuple

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

# alternative = protocol-id "=" quoted-authority, then parameters (RFC 7838 §3).
_ALTERNATIVE = re.compile(r'([^\s=,;"]+)="([^"]*)"((?:\s*;\s*[^\s=,;"]+=(?:"[^"]*"|[^\s,;"]*))*)')
_MAX_AGE = re.compile(r';\s*ma="?(\d{1,10})')
_USUAL_AGE_S = 24 * 3600


class Alternative(NamedTuple):
    """One alternative service. max_age_s: for how long a client may remember it."""

    protocol: str
    authority: str
    max_age_s: int


def alternatives(field: str) -> list[Alternative]:
    """The alternatives of an Alt-Svc field; none for `clear`, or where it can't be read."""
    found: list[Alternative] = []
    for protocol, authority, parameters in _ALTERNATIVE.findall(field):
        age = _MAX_AGE.search(parameters)
        found.append(Alternative(protocol, authority, int(age[1]) if age else _USUAL_AGE_S))
    return found


def _run(session: ProbeSession) -> Finding:
    announced = session.first.field("alt-svc")
    if announced is None:
        return Finding(verdict=Verdict.OK, measured="not announced", values={"announced": False})
    found = alternatives(announced)
    http3 = [one for one in found if one.protocol == "h3" or one.protocol.startswith("h3-")]
    values: dict[str, FindingValue] = {"announced": bool(http3), "protocols": [one.protocol for one in found]}
    if not http3:
        what = "withdrawn" if announced.strip().lower() == "clear" else "not announced, but other alternatives are"
        return Finding(verdict=Verdict.OK, measured=what, announced=announced, values=values)
    # Draft versions are worth nothing to clients of today; the first one of the final version counts.
    best = next((one for one in http3 if one.protocol == "h3"), http3[0])
    return Finding(
        verdict=Verdict.NOTE,
        measured=f"{best.protocol} at {best.authority} for {format_duration(best.max_age_s * NS_PER_S)}",
        announced=announced,
        values=values | {"authority": best.authority, "max_age_ns": best.max_age_s * NS_PER_S},
        advice="browsers move to HTTP/3 after their first request; what is found here is of TCP",
    )


H3_ANNOUNCED = Probe(
    name="h3_announced",
    title="HTTP/3 announced",
    question="Does the server announce HTTP/3 by Alt-Svc?",
    method="The Alt-Svc field of the audit's first response is read.",
    section="RFC 7838 §3",
    values={
        "announced": "the field names h3",
        "protocols": "all protocols that it names",
        "authority": "where HTTP/3 is to be found",
        "max_age_ns": "for how long a client may remember that",
    },
    requests=0,
    connections=0,
    run=_run,
)
