"""Is what a response says of its connection what then happens (RFC 9112 §9.3 and §9.6, RFC 9110 §7.6.1)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS, format_duration
from loadgen.probe.after_response import AfterResponse, Next, after_response, close_wait_ns
from loadgen.probe.announcement import Announcement, announcement
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply

_WAIT_NS = 200 * NS_PER_MS
_KEEP_ALIVE = "keep-alive"


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        reply = session.ask(stream)
        is_closing = b"close" in reply.head.options
        after = after_response(session, stream, reply, None if is_closing else _WAIT_NS)
    said = [f"{name}: {value}" for name in ("Connection", "Keep-Alive") if (value := reply.field(name)) is not None]
    announced = "; ".join(said) or None
    values = {"says_close": is_closing, "says_keep_alive": _says_keep_alive(reply), "what": after.what.value}
    found = _judge_close(after, close_wait_ns(session)) if is_closing else _judge_open(reply, after)
    verdict, measured, advice, section = found
    return Finding(
        verdict=verdict, measured=measured, announced=announced, values=values, advice=advice, section=section,
        topic=None if verdict is Verdict.OK else "keep_alive",
    )  # fmt: skip


def _says_keep_alive(reply: Reply) -> bool:
    return _KEEP_ALIVE.encode() in reply.head.options or reply.field(_KEEP_ALIVE) is not None


_Judged = tuple[Verdict, str, str | None, str | None]


def _judge_close(after: AfterResponse, wait_ns: int) -> _Judged:
    section = "RFC 9112 §9.6"
    if after.what is Next.CLOSED:
        return Verdict.OK, f"says close, closed {after.text}", None, section
    if after.what is Next.ANSWERED:
        advice = "a server that says close has to close, and must answer nothing more"
        return Verdict.VIOLATION, "says close, stayed open and answered one more request", advice, section
    advice = "a server that says close has to close; until then the connection takes a place on both sides"
    return Verdict.WARNING, f"says close, still open after {format_duration(wait_ns)}", advice, section


def _judge_open(reply: Reply, after: AfterResponse) -> _Judged:
    says_so = _says_keep_alive(reply)
    if after.what is Next.CLOSED:
        if says_so and reply.persists:
            advice = "a client that believes it loses its next request; announce only what is kept"
            return Verdict.WARNING, f"says keep-alive, closed {after.text}", advice, None
        end = announcement(reply.head)
        if end is not None:
            how = "which ends the response" if end is Announcement.NO_LENGTH else end.clause
            return Verdict.OK, f"says {'keep-alive' if says_so else 'nothing'}, and closed, {how}", None, None
        advice = "a server that closes should say so with `Connection: close`"
        return Verdict.WARNING, f"says nothing, closed {after.text}", advice, "RFC 9112 §9.6"
    if reply.field(_KEEP_ALIVE) is not None and _KEEP_ALIVE.encode() not in reply.head.options:
        advice = (
            "list it, `Connection: keep-alive`; a proxy must remove that of the server behind it: clients take its "
            "timeout for the proxy's"
        )
        return Verdict.VIOLATION, "Keep-Alive is not listed in Connection", advice, "RFC 9110 §7.6.1"
    what = "says keep-alive" if says_so else "says nothing"
    if after.what is Next.SILENT:
        advice = "the second request on a connection got no answer, though the response lets a client send one"
        return Verdict.WARNING, f"{what}, stayed open, and answered no second request", advice, None
    return Verdict.OK, f"{what}, stayed open", None, None


AS_ANNOUNCED = Probe(
    name="as_announced",
    title="Does as announced",
    question="Is what the response says in Connection and Keep-Alive what then happens?",
    method="One request without a Connection field; the connection is watched, and used once more where it stays open.",
    section="RFC 9112 §9.3",
    values={
        "says_close": "the response said `Connection: close`",
        "says_keep_alive": "it said `Connection: keep-alive` or had a Keep-Alive field",
        "what": "what happened: `closed`, `answered` one more request, or `silent` (open, and no answer)",
    },
    requests=2,
    connections=1,
    run=_run,
)
