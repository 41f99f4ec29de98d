"""After how many requests does the server end an HTTP/2 connection, and does it say so (RFC 9113 §6.8)?"""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, count
from loadgen.probe.failures import Loss
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.http2.http2_link import Http2Link, Way, open_http2
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, over_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import LIMITS_CLIENTS, ProbeSession
from loadgen.wire.http2.h2_frame_client import MAX_CONCURRENT_STREAMS

_MAX_TIME_NS = 10 * NS_PER_S
_MAX_BATCH = 50
_MAX_BODY_BYTES = 16_384
"""Of the first response: with longer ones HEAD is asked instead of GET."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """What became of the requests on one connection."""

    answered: int
    lost: int
    """They may have been processed, and got no response."""
    untouched: int
    """GOAWAY says that they were not processed."""


def _run(session: ProbeSession, way: Way) -> Finding:
    with open_http2(session, way) as link:
        client = link.client
        _ask_until_over(session, link)
        account = _account(link)
        limited = next((one.status for one in client.streams.values() if one.status in LIMITS_CLIENTS), 0)
        if limited:
            return unknown(f"after {count(account.answered, 'request')} it answered {limited}: it limits its clients")
        values: dict[str, FindingValue] = {"answered": account.answered}
        if not client.goaways and not link.stream.ended:
            return Finding(
                verdict=Verdict.OK,
                measured=f"more than {account.answered:,}",
                values=values | {"more_than": account.answered},
                topic="max_requests",
            )
        values |= {"lost": account.lost, "untouched": account.untouched}
    if not client.goaways and link.loss is Loss.RESET:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"reset after {account.answered:,}, {account.lost} lost; a GOAWAY would be lost with them",
            values=values,
            advice="the server closes while requests still come in, which resets the connection; let it read on first",
            topic="max_requests",
        )
    values["goaway"] = bool(client.goaways)
    if not client.goaways:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"{link.loss} without GOAWAY after {account.answered:,}; {account.lost} lost",
            values=values,
            advice="let the server send GOAWAY first; without it clients don't know which requests to repeat",
            topic="max_requests",
        )
    first = client.goaways[0]
    values |= {"code": first.code, "two_step": first.is_first_of_two}
    measured = f"{account.answered:,}, then GOAWAY {first.code}"
    if account.lost:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"{measured}; {account.lost} lost that it promised to answer",
            values=values,
            advice="the server ends the connection before it has answered the streams up to the one in its GOAWAY",
            topic="max_requests",
        )
    return Finding(verdict=Verdict.NOTE, measured=measured, announced="GOAWAY", values=values, topic="max_requests")


def _ask_until_over(session: ProbeSession, link: Http2Link) -> None:
    """Ask until the server has enough, or the budget or the time is spent. Raises ProbeFailure."""
    batch = min(link.await_settings().get(MAX_CONCURRENT_STREAMS, _MAX_BATCH), _MAX_BATCH)
    client, until_ns = link.client, session.until_ns(_MAX_TIME_NS)
    method = "GET" if link.ask().body_bytes <= _MAX_BODY_BYTES else "HEAD"
    while batch and session.now_ns() < until_ns and not client.goaways:
        left = session.plan.max_requests - len(client.streams)
        if left <= 0:
            return
        for _ in range(min(batch, left)):
            link.start(method)
        if not link.wait(lambda: _is_settled(link), min(until_ns, session.timeout_at_ns)):
            return
        if any(stream.status in LIMITS_CLIENTS for stream in client.streams.values()):
            return


def _is_settled(link: Http2Link) -> bool:
    """All is answered that will be."""
    last = link.last_stream_id
    return all(stream.done for number, stream in link.client.streams.items() if number <= last)


def _account(link: Http2Link) -> _Answers:
    last, streams = link.last_stream_id, link.client.streams
    answered = sum(one.answered for one in streams.values())
    missing = [number for number, one in streams.items() if not one.answered and one.reset != "REFUSED_STREAM"]
    lost = sum(number <= last for number in missing)
    return _Answers(answered, lost, len(streams) - answered - lost)


HTTP2_MAX_REQUESTS = Probe(
    name="http2_max_requests",
    title="HTTP/2 requests on a connection",
    question="After how many requests does the server end an HTTP/2 connection, and does it say so?",
    method=f"Requests on one connection, up to {_MAX_BATCH} at a time, until it is ended or `--max-requests` are sent.",
    section="RFC 9113 §6.8",
    values={
        "answered": "requests that were answered on the connection",
        "more_than": "there is no limit up to this number",
        "goaway": "it was announced by GOAWAY; absent after a reset, which may have taken it away",
        "code": "the error code of the first GOAWAY",
        "two_step": "a first GOAWAY came before the one that names the last stream",
        "lost": "requests that may have been processed, and were not answered",
        "untouched": "requests that were not processed, as GOAWAY or a reset said",
    },
    requests=lambda plan: plan.max_requests + 1,
    needs_response=False,
    connections=1,
    run=over_http2(_run),
    needs=(SETTINGS_PROBE,),
)
