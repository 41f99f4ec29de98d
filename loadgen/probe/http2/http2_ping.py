"""Does the server acknowledge PING, with the same data (RFC 9113 §6.7)?"""

from __future__ import annotations

from functools import partial
from statistics import median

from loadgen.model.audit import Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.http2.http2_link import Http2Link, Way, open_http2
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, over_http2
from loadgen.probe.medians import median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_PINGS = 6


def _run(session: ProbeSession, way: Way) -> Finding:
    times_ns: list[int] = []
    with open_http2(session, way) as link:
        client = link.client
        link.await_settings()
        for number in range(_PINGS):
            data = b"ping%04d" % number
            client.ping(data)
            sent_ns = session.now_ns()
            if not link.wait(partial(_has_pongs, link, number + 1), session.timeout_at_ns):
                return _unanswered(link)
            if client.pongs[-1] != data:
                return Finding(
                    verdict=Verdict.VIOLATION,
                    measured="acknowledged with other data than it held",
                    values={"pings": number + 1, "acknowledged": number},
                    advice="clients that measure round trips by PING take it for a broken connection",
                )
            times_ns.append(link.at_ns - sent_ns)
    return Finding(
        verdict=Verdict.OK,
        measured=f"{_PINGS} of {_PINGS} acknowledged, in {median_text(times_ns)}",
        values={
            "pings": _PINGS, "acknowledged": _PINGS,
            "rtt_p50_ns": round(median(times_ns)), "rtt_min_ns": min(times_ns), "rtt_max_ns": max(times_ns),
        },
    )  # fmt: skip


def _has_pongs(link: Http2Link, wanted: int) -> bool:
    return len(link.client.pongs) >= wanted


def _unanswered(link: Http2Link) -> Finding:
    """A PING got no answer: is that the PING's fault, or is the connection dead?"""
    before = len(link.client.pongs)
    if link.stream.ended:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"the connection was {link.loss} instead",
            values={"pings": before + 1, "acknowledged": before},
            advice="clients that check connections by PING lose them here",
        )
    try:
        link.ask()
    except NoResponse as loss:
        return unknown(f"neither a PING nor the request after it was answered: {loss}")
    if len(link.client.pongs) > before:
        return unknown("the PING was acknowledged too late")
    return Finding(
        verdict=Verdict.VIOLATION,
        measured="not acknowledged; the request after it was answered",
        values={"pings": before + 1, "acknowledged": before},
        advice="clients that check connections by PING take this server for dead",
    )


HTTP2_PING = Probe(
    name="http2_ping",
    title="HTTP/2 PING",
    question="Does the server acknowledge PING, and in what time?",
    method=f"{_PINGS} PINGs, one after another, on one connection.",
    section="RFC 9113 §6.7",
    values={
        "pings": "PINGs that were sent",
        "acknowledged": "those that were acknowledged",
        "rtt_p50_ns": "median time to the acknowledgement",
        "rtt_min_ns": "shortest of these",
        "rtt_max_ns": "longest of these",
    },
    requests=2,
    needs_response=False,
    connections=1,
    run=over_http2(_run),
    needs=(SETTINGS_PROBE,),
)
