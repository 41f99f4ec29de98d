"""How long a server waits for the rest of a request that stops half way, for the probes of that. Knows no server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import gevent

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.idle.close_text import ended_by, ending_text, status_of
from loadgen.probe.idle.held_up import MAX_REQUESTS, is_held_up
from loadgen.probe.idle.timeout_owner import with_owner
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import side_by_side

CONNECTIONS = 3
_CHECKS = 2
"""A server that seems to be stopped may only be slow, so it is looked at again."""
MAX_TRIES = CONNECTIONS + _CHECKS
MAX_REQUESTS_BESIDE = MAX_TRIES + _CHECKS * (MAX_REQUESTS - 1)
"""Requests on other connections, after each try."""
MAX_CONNECTIONS = MAX_TRIES + MAX_REQUESTS_BESIDE
VALUES = {
    "timeout_ns": "shortest time after which the server closed such a connection",
    "max_ns": "longest of these",
    "connections": "such connections that the server closed",
    "kept": "such connections that it still kept at the end of the watch",
    "ended_by": "`fin`, `reset`, or `fin and reset`",
    "last_status": "status code of the response that the server sent before it closed, like 408",
    "answered_status": "status code of a response that did not wait for the rest",
    "longer_than_ns": "no such connection was closed within this time",
    "held_up_by": "after this number of such connections, other requests got no response until one of them was closed",
}
_STAGGER_S = 0.3
_SOON_NS = NS_PER_S // 2
"""A response within this time does not wait for the rest; 408 says that the server did wait."""
_TIMED_OUT = 408
_LONG_NS = 60 * NS_PER_S
"""A server that has kept half a request for this long can be filled up with them."""


@dataclass(frozen=True, slots=True)
class PartialEnd:
    """What became of one connection: for how long it was watched (ns), how it ended, if it did, and what came."""

    after_ns: int
    ended: str
    words: bytes
    answered_status: int = 0


def wait_out(session: ProbeSession, data: bytes, waiting_for: str, topic: str) -> Finding:
    """Send that much of a request on a few connections, and wait until the server has had enough.

    Raises ProbeFailure where no connection could be watched.
    """
    watch = _PartialRequests(session, data, waiting_for)
    try:
        outcomes = side_by_side([partial(watch.one, number * _STAGGER_S) for number in range(CONNECTIONS)])
    except gevent.GreenletExit:
        return _interrupted_finding(watch.begun_ns, session.now_ns(), topic)
    if watch.held_up_by:
        return with_owner(session, held_up_finding(watch.held_up_by, waiting_for, topic))
    ends = [one for one in outcomes if not isinstance(one, ProbeFailure)]
    if not ends:
        raise next(one for one in outcomes if isinstance(one, ProbeFailure))
    return with_owner(session, partial_finding(ends, waiting_for, topic))


class _PartialRequests:
    """The connections of one probe. They are given up at once where the server answers nothing else meanwhile."""

    def __init__(self, session: ProbeSession, data: bytes, waiting_for: str) -> None:
        self.held_up_by = 0
        """How many connections it took to stop the server; 0 while it goes on."""
        self.begun_ns: list[int] = []
        """When each wait began."""
        self._session = session
        self._data = data
        self._waiting_for = waiting_for
        self._watching: list[gevent.Greenlet] = []

    def one(self, delay_s: float) -> PartialEnd:
        """Watch one connection. Raises ProbeFailure."""
        gevent.sleep(delay_s)
        session = self._session
        with ExitStack() as stack:
            with session.alone:
                stream, begun_ns = self._begun(stack)
            self._watching.append(gevent.getcurrent())
            self.begun_ns.append(begun_ns)
            return self._end_of(stream, begun_ns)

    def _begun(self, stack: ExitStack) -> tuple[ProbeStream, int]:
        """A connection that does not stop the server, and when its wait began. Raises ProbeFailure."""
        session = self._session
        for _ in range(_CHECKS):
            if self.held_up_by:
                break
            stream = stack.enter_context(session.open())
            begun_ns = session.send(stream, self._data) if self._data else stream.opened_ns
            if not is_held_up(session, stream.close):
                return stream, begun_ns
        self.held_up_by = self.held_up_by or len(self._watching) + 1
        gevent.killall(self._watching, block=False)
        raise ProbeFailure("given up, because the server answered nothing else meanwhile")

    def _end_of(self, stream: ProbeStream, begun_ns: int) -> PartialEnd:
        session = self._session
        session.waiting_for = self._waiting_for
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        soon_ns = session.now_ns() + _SOON_NS + session.first.took_ns
        words = bytearray()
        while chunk := stream.receive(session.waiting_until_ns):
            after_ns = chunk.at_ns - begun_ns
            if not chunk.data:
                return PartialEnd(after_ns, chunk.ended, bytes(words))
            words += chunk.data
            status = status_of(bytes(words))
            if chunk.at_ns < soon_ns and status not in (0, _TIMED_OUT):
                return PartialEnd(after_ns, "", bytes(words), status)
        return PartialEnd(session.now_ns() - begun_ns, "", bytes(words))


def held_up_finding(held_up_by: int, waiting_for: str, topic: str) -> Finding:
    """So many connections stopped the server."""
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"other requests wait until {waiting_for} has come",
        values={"held_up_by": held_up_by},
        advice="a few slow clients stop this server; put a proxy before it that reads whole requests, "
        "or use a worker that serves many connections at once",
        topic=topic,
    )


def _interrupted_finding(begun_ns: Sequence[int], now_ns: int, topic: str) -> Finding:
    """The audit was interrupted; what the watch shows by then."""
    if not begun_ns:
        return unknown("interrupted before the wait began")
    longer_ns = now_ns - max(begun_ns)
    return Finding(
        verdict=Verdict.UNKNOWN,
        measured=f"longer than {format_duration(longer_ns)}, then interrupted",
        values={"longer_than_ns": longer_ns},
        topic=topic,
    )


def partial_finding(ends: Sequence[PartialEnd], waiting_for: str, topic: str) -> Finding:
    """What the ends of such connections say together."""
    closed = sorted((one for one in ends if one.ended), key=lambda one: one.after_ns)
    answered = max(one.answered_status for one in ends)
    if answered:
        return Finding(
            verdict=Verdict.OK,
            measured=f"answered {answered} at once, without {waiting_for}",
            values={"answered_status": answered},
            topic=topic,
        )
    if not closed:
        longer_ns = min(one.after_ns for one in ends)
        is_long = longer_ns >= _LONG_NS
        return Finding(
            verdict=Verdict.NOTE if is_long else Verdict.OK,
            measured=f"longer than {format_duration(longer_ns)}",
            values={"longer_than_ns": longer_ns, "connections": 0, "kept": len(ends)},
            advice=f"a few clients that never send {waiting_for} can take all connections; limit that time, "
            "here or in a proxy before the server"
            if is_long
            else None,
            topic=topic,
        )
    return _closed_finding(closed, len(ends) - len(closed), topic)


def _closed_finding(closed: Sequence[PartialEnd], kept: int, topic: str) -> Finding:
    words = [one.words for one in closed]
    first_ns, last_ns = closed[0].after_ns, closed[-1].after_ns
    low, high = format_duration(first_ns), format_duration(last_ns)
    values: dict[str, FindingValue] = {
        "timeout_ns": first_ns, "max_ns": last_ns, "connections": len(closed), "kept": kept,
        "ended_by": ended_by(one.ended for one in closed),
    }  # fmt: skip
    if status := max(map(status_of, words)):
        values["last_status"] = status
    return Finding(
        verdict=Verdict.OK,
        measured=(low if low == high else f"{low} to {high}") + ending_text((one.ended for one in closed), words),
        values=values,
        topic=topic,
    )
