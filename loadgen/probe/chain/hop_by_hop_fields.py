"""Does what stands before the origin remove the fields that are for one hop alone (RFC 9110 §7.6.1)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.chain.origin import no_chain
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.hop_by_hop import MAX_TRIES, NAMED, ask_hops
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession


def _run(session: ProbeSession) -> Finding:
    found = ask_hops(session)
    if found["reason"] is not None:
        return unknown(found["reason"].removeprefix("unknown: "))
    passed = found["forwarded"]
    values = {
        "removed": found["removed"],
        "forwarded": passed,
        "response_removed": found["response_removed"],
        "via": found["via"],
    }
    if not passed and found["response_removed"]:
        return Finding(verdict=Verdict.OK, measured=f"removed: {', '.join(found['removed'])}", values=values)
    what = [*passed, *([] if found["response_removed"] else ["a field of the response"])]
    # Fields that Connection names MUST go; others of the old ones SHOULD.
    is_broken = any(name in NAMED for name in passed) or not found["response_removed"]
    return Finding(
        verdict=Verdict.VIOLATION if is_broken else Verdict.WARNING,
        measured=f"passed on: {', '.join(what)}",
        values=values,
        advice="remove these fields in the proxy's configuration, else the next hop applies them to its own connection",
        topic="hop_by_hop",
    )


HOP_BY_HOP_FIELDS = Probe(
    name="hop_by_hop_fields",
    title="Fields for one hop",
    question="Does the proxy remove the fields that are for one hop alone?",
    method="The origin, a `loadgen target`, tells which fields of a request with such fields arrived.",
    section="RFC 9110 §7.6.1",
    values={
        "removed": "fields that it removed",
        "forwarded": "fields that it passed on",
        "response_removed": "it removed a field that the response's Connection named",
        "via": "what it put into Via",
    },
    requests=MAX_TRIES,
    connections=MAX_TRIES,
    run=_run,
    not_for=no_chain,
)
