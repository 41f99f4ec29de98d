"""Does the server answer a plain HTTP/1.1 request, and in HTTP/1.1 (RFC 9110 §2.5, RFC 9112 §2)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.leniency import Leniency
from loadgen.model.units import format_duration
from loadgen.probe.failures import Loss, NoResponse, OpenFailure, ProbeFailure, is_turned_away, text_of
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Way, open_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply
from loadgen.probe.versions.h2_prior_knowledge import not_in_clear, refusal
from loadgen.wire.http1.other_protocols import HTTP2_ALONE, other_protocol, refuses_plain_http

_GRAMMAR = "RFC 9110 §2.2"
_BEGIN = b"HTTP/"
_HOW = {Loss.FIN: "closed", Loss.RESET: "reset"}


def _run(session: ProbeSession) -> Finding:
    try:
        with session.open() as stream:
            reply = session.ask(stream)
    except NoResponse as failure:
        return _without_response(session, failure)
    except OpenFailure as failure:
        if not is_turned_away(failure):
            raise
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"no TLS handshake: {text_of(failure.cause)}",
            values={"received_bytes": 0},
            advice="see whether this port speaks TLS 1.2 or newer with clients of HTTP/1.1; is the URL's scheme right?",
        )
    return _with_response(reply)


def _with_response(reply: Reply) -> Finding:
    status, version = reply.head.status, reply.head.version
    values: dict[str, FindingValue] = {"version": version, "status": status}
    measured = f"HTTP/{version}, status {status}"
    if refuses_plain_http(status, reply.body):
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"{measured}: the port speaks TLS",
            values=values,
            advice="name the URL with https: all other findings are of this refusal",
        )
    broken = [leniency for leniency in Leniency if reply.notes & leniency]
    if broken:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"{measured}; {'; '.join(leniency.meaning for leniency in broken)}",
            values=values | {"deviations": [leniency.label for leniency in broken]},
            section=broken[0].section,
            advice="; ".join(leniency.repair for leniency in broken),
        )
    if version == "1.0":
        return Finding(
            verdict=Verdict.NOTE,
            measured=measured,
            values=values,
            advice="an answer in HTTP/1.0 has no chunked bodies, and keeps no connection unless it says so",
        )
    if status >= 400:
        return Finding(
            verdict=Verdict.NOTE,
            measured=measured,
            values=values,
            advice="name a URL that answers with success: many servers close after an error",
        )
    return Finding(verdict=Verdict.OK, measured=measured, values=values)


def _without_response(session: ProbeSession, failure: NoResponse) -> Finding:
    data = failure.received
    values: dict[str, FindingValue] = {"received_bytes": len(data)}
    if failure.how is Loss.TOO_LONG:
        return Finding(
            verdict=Verdict.NOTE, measured=str(failure), values=values, advice="name a URL with a short response"
        )
    if data.startswith(_BEGIN[: len(data)]) and data:
        if failure.how is Loss.MALFORMED:
            return Finding(
                verdict=Verdict.VIOLATION,
                measured=str(failure),
                values=values,
                section=_GRAMMAR,
                advice="clients refuse such a response, and may take its bytes for another one's",
            )
        is_late = failure.how is Loss.TIMEOUT
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"a response that is not whole: {failure}",
            values=values,
            advice="give it more time (--timeout), or name a URL with a short response; where even that stops halfway, "
            "see the server's log"
            if is_late
            else "find out why the server does not send all of its response",
        )
    if data or _speaks_http2(session):
        other = other_protocol(data) if data else HTTP2_ALONE
        return Finding(verdict=Verdict.WARNING, measured=f"it speaks {other.name}", values=values, advice=other.advice)
    how = _HOW.get(failure.how)
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"{how} without a byte" if how else f"silent for {format_duration(session.plan.timeout_ns)}",
        values=values,
        advice="see whether this port speaks HTTP, and whether the server knows this Host",
    )


def _speaks_http2(session: ProbeSession) -> bool:
    """It does with prior knowledge: HAProxy with `proto h2` closes a connection of HTTP/1.1 without a byte."""
    if not_in_clear(session.plan):
        return False
    try:
        with open_http2(session, Way.PRIOR) as link:
            return not refusal(session, link)
    except ProbeFailure:
        return False


HTTP11 = Probe(
    name="http11",
    title="HTTP/1.1",
    question="Does the server answer a plain HTTP/1.1 request in HTTP/1.1?",
    method="One GET without a Connection field; where no HTTP comes, the first bytes tell what it "
    "is, and where none come, the preface of HTTP/2 is tried.",
    section="RFC 9110 §2.5",
    values={
        "version": "version of the response",
        "status": "status of the response",
        "deviations": "how the response breaks the letter of HTTP/1.1 (the labels of docs/protocols.md)",
        "received_bytes": "bytes that came where no whole response did",
    },
    requests=1,
    connections=2,
    run=_run,
    needs_response=False,
)
