"""Does the server send GOAWAY before it ends an HTTP/2 connection (RFC 9113 §6.8)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Way
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, over_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession


def _run(session: ProbeSession, _way: Way) -> Finding:
    idle, limit = session.finding("http2_idle_timeout"), session.finding("http2_max_requests")
    seen: dict[str, bool] = {}
    two_step = False
    if idle is not None and idle.values.get("ended"):
        seen["idle"] = idle.values.get("goaways") == idle.values["ended"]
        two_step = bool(idle.values.get("two_step"))
    if limit is not None and "goaway" in limit.values:
        seen["after requests"] = bool(limit.values["goaway"])
        two_step = two_step or bool(limit.values.get("two_step"))
    if not seen:
        return Finding(verdict=Verdict.NOTE, measured="it ended no connection, so this could not be seen")
    values: dict[str, FindingValue] = {"two_step": two_step}
    if "idle" in seen:
        values["when_idle"] = seen["idle"]
    if "after requests" in seen:
        values["after_requests"] = seen["after requests"]
    silent = [when for when, announced in seen.items() if not announced]
    if silent:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"no GOAWAY before the end ({' and '.join(silent)})",
            values=values,
            advice="without GOAWAY a client can't tell which requests were processed, nor repeat them by itself",
            topic="http2_idle_timeout",
        )
    steps = "in two steps" if two_step else "in one step"
    return Finding(verdict=Verdict.OK, measured=f"GOAWAY {steps} ({' and '.join(seen)})", values=values)


HTTP2_GOAWAY = Probe(
    name="http2_goaway",
    title="HTTP/2 GOAWAY before the end",
    question="Does the server send GOAWAY before it ends an HTTP/2 connection?",
    method="It asks nothing itself: it takes the ends that http2_idle_timeout and http2_max_requests saw.",
    section="RFC 9113 §6.8",
    values={
        "when_idle": "each connection that ended when idle had a GOAWAY",
        "after_requests": "the connection that ended after a number of requests had one",
        "two_step": "a first GOAWAY came before the one that names the last stream",
    },
    requests=0,
    needs_response=False,
    connections=0,
    run=over_http2(_run),
    waits=True,
    needs=(SETTINGS_PROBE, "http2_idle_timeout", "http2_max_requests"),
)
