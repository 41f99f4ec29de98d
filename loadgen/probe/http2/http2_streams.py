"""Are as many concurrent streams accepted as announced, and no more (RFC 9113 §5.1.2)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import Http2Link, Way, open_http2
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, over_http2
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.wire.http2.h2_frame_client import MAX_CONCURRENT_STREAMS, FrameStream

_MAX_STREAMS = 128
_MAX_WAIT_NS = 2 * NS_PER_S
_REFUSALS = ("REFUSED_STREAM", "PROTOCOL_ERROR")


def _run(session: ProbeSession, way: Way) -> Finding:
    # One byte of each body may come: so each response begins, and its stream stays open. With none nginx sends no head.
    with open_http2(session, way, window_bytes=1) as link:
        client = link.client
        limit = link.await_settings().get(MAX_CONCURRENT_STREAMS)
        goal = _MAX_STREAMS if limit is None else min(limit, _MAX_STREAMS)
        for _ in range(goal - len(client.streams)):
            link.start()
        link.wait(lambda: _is_settled(link), _until_ns(session))
        streams = [*client.streams.values()][:goal]
        accepted = sum(one.status > 0 for one in streams)
        open_at_once = sum(one.status > 0 and not one.done for one in streams)
        refused = sum(one.reset in _REFUSALS for one in streams)
        values: dict[str, FindingValue] = {
            "tried": goal,
            "accepted": accepted,
            "refused": refused,
            "open": open_at_once,
        }
        if limit is not None:
            values["announced_max"] = limit
        text = f"{accepted} of {goal} accepted at once"
        if not client.goaways and not link.stream.ended and open_at_once == goal == limit:
            beyond = _beyond(session, link)
            if beyond == "answered" and any(one.done for one in streams):
                return _finding(Verdict.OK, text, limit, values)  # one ended meanwhile: there was room for one more
            values["beyond"] = beyond
            if beyond == "answered":
                return _finding(
                    Verdict.VIOLATION, f"{text}; one more was answered too", limit, values,
                    "a limit that is not kept protects nothing; clients never try it",
                )  # fmt: skip
            text = f"{text}; one more: {_BEYOND[beyond]}"
    if refused:
        return _finding(
            Verdict.WARNING, f"{text}; {refused} refused below the limit", limit, values,
            "clients open as many streams as are announced; announce what is accepted",
        )  # fmt: skip
    if accepted < goal:
        return _finding(Verdict.NOTE, f"{text}; {_why_no_more(link)}", limit, values)
    if not open_at_once and goal:
        return _finding(
            Verdict.OK, f"{accepted} of {goal} answered; bodies of a byte can't be held open", limit, values
        )
    return _finding(Verdict.OK, text, limit, values)


def _is_settled(link: Http2Link) -> bool:
    """Each stream that the server answers has a response, or its beginning."""
    last = link.last_stream_id
    return all(one.status or one.done for number, one in link.client.streams.items() if number <= last)


def _why_no_more(link: Http2Link) -> str:
    """Why some streams had no response."""
    goaways = link.client.goaways
    if goaways:
        return f"then GOAWAY {goaways[0].code}"
    return "then the connection ended" if link.stream.ended else "the others had no response in time"


_BEYOND = {"refused": "refused", "connection": "ended the connection", "silent": "not answered"}


def _beyond(session: ProbeSession, link: Http2Link) -> str:
    """What becomes of one stream more than announced."""
    one: FrameStream = link.start()
    link.wait(lambda: bool(one.status or one.done or link.client.goaways), _until_ns(session))
    if one.status:
        return "answered"
    if one.reset:
        return "refused"
    return "connection" if link.client.goaways or link.stream.ended else "silent"


def _until_ns(session: ProbeSession) -> int:
    return session.until_ns(min(session.plan.timeout_ns, _MAX_WAIT_NS))


def _finding(
    verdict: Verdict, measured: str, limit: int | None, values: dict[str, FindingValue], advice: str | None = None
) -> Finding:
    return Finding(
        verdict=verdict,
        measured=measured,
        announced="no limit" if limit is None else f"max_concurrent_streams={limit}",
        values=values,
        advice=advice,
        topic="http2_max_streams",
    )


HTTP2_STREAMS = Probe(
    name="http2_streams",
    title="HTTP/2 concurrent streams",
    question="Are as many concurrent streams accepted as announced, and no more?",
    method=f"Up to {_MAX_STREAMS} requests at once, with windows of 1 byte, which keep them open; then one more.",
    section="RFC 9113 §5.1.2",
    values={
        "announced_max": "SETTINGS_MAX_CONCURRENT_STREAMS; absent where there is no limit",
        "tried": "requests that were sent at once",
        "accepted": "those whose response began",
        "open": "those of them that were open at the same time",
        "refused": "those that were refused",
        "beyond": "what became of one more: `refused`, `connection` (it was ended), `silent` or `answered`",
    },
    requests=_MAX_STREAMS + 2,
    needs_response=False,
    connections=1,
    run=over_http2(_run),
    needs=(SETTINGS_PROBE,),
)
