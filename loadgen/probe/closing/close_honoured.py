"""Does the server close a connection whose client has asked for it with `Connection: close` (RFC 9112 §9.6)?"""

from __future__ import annotations

from typing import NamedTuple

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS, format_duration
from loadgen.probe.after_response import AfterResponse, Next, after_response, close_wait_ns, within
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import some_side_by_side

_CONNECTIONS = 3
_SLOW_NS = 200 * NS_PER_MS


class _AskedClose(NamedTuple):
    announced: str | None
    says_so: bool
    after: AfterResponse


def _run(session: ProbeSession) -> Finding:
    closes = some_side_by_side([lambda: _try(session)] * _CONNECTIONS)
    found = [one.after for one in closes]
    closed = sorted(one.closed_ns for one in found if one.closed_ns is not None)
    announced = [one for one in closes if one.says_so]
    values = {
        "connections": len(closes),
        "closed": len(closed),
        "answered": sum(one.what is Next.ANSWERED for one in found),
        "announced": len(announced),
        "fin": sum(one.ended == "fin" for one in found),
        "reset": sum(one.ended == "reset" for one in found if one.closed_ns is not None),
        **({"close_ns": closed[len(closed) // 2], "max_close_ns": closed[-1]} if closed else {}),
    }
    verdict, measured, advice = _judge(values, closed, close_wait_ns(session))
    return Finding(
        verdict=verdict, measured=measured, announced=closes[0].announced, values=values, advice=advice,
        topic=None if verdict is Verdict.OK else "lingering_close",
    )  # fmt: skip


def _try(session: ProbeSession) -> _AskedClose:
    with session.open() as stream:
        reply = session.ask(stream, session.request(connection="close"))
        says_so = b"close" in reply.head.options
        return _AskedClose(reply.field("connection"), says_so, after_response(session, stream, reply))


def _judge(values: dict[str, int], closed: list[int], wait_ns: int) -> tuple[Verdict, str, str | None]:
    tried = values["connections"]
    if values["answered"]:
        return (
            Verdict.VIOLATION,
            f"ignored: {values['answered']} of {tried} answered one more request",
            "a client that relies on the server's close waits for ever; the server, or a proxy before it, has to close",
        )
    if len(closed) < tried:
        return (
            Verdict.WARNING,
            f"{tried - len(closed)} of {tried} were still open after {format_duration(wait_ns)}",
            "close soon after the response: until then the connection takes a place on both sides",
        )
    how = f"{tried} of {tried} closed {within(closed[-1])}"
    if values["reset"]:
        advice = "a reset may destroy the end of a response that is still on its way; close with FIN"
        return Verdict.WARNING, f"{how}, {values['reset']} by reset", advice
    if closed[-1] > _SLOW_NS:
        return Verdict.NOTE, f"{how}, by FIN", "close sooner: until then a connection takes a place on both sides"
    if values["announced"] < tried:
        advice = "the response should say `Connection: close` too, for proxies on the way"
        return Verdict.NOTE, f"{how}, by FIN, without saying so", advice
    return Verdict.OK, f"{how}, by FIN", None


CLOSE_HONOURED = Probe(
    name="close_honoured",
    title="Close on request",
    question="Does the server close a connection whose client asks for it with Connection: close?",
    method=f"One request with `Connection: close` on each of {_CONNECTIONS} connections, which are watched; where one "
    "stays open, one more request.",
    section="RFC 9112 §9.6",
    values={
        "connections": "connections on which the request was answered",
        "closed": "those that the server closed in time, without one more request",
        "answered": "those that stayed open and answered one more request",
        "announced": "responses that said `Connection: close` themselves",
        "fin": "connections that the server closed by FIN, or over TLS by close_notify",
        "reset": "connections that it reset",
        "close_ns": "median time from the response's last byte to the close",
        "max_close_ns": "longest of these times",
    },
    requests=2 * _CONNECTIONS,
    connections=_CONNECTIONS,
    run=_run,
)
