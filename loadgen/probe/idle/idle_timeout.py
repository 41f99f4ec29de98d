"""After which idle time does the server close a connection, and does it say so beforehand (RFC 9112 §9.5)?"""

from __future__ import annotations

from functools import partial

import gevent

from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.idle.closes import Close
from loadgen.probe.idle.idle_finding import (
    Watched,
    finding_of_closes,
    finding_of_interrupted,
    finding_of_kept,
    never_idle,
)
from loadgen.probe.idle.timeout_owner import with_owner
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession, Reply
from loadgen.probe.side_by_side import some_side_by_side

_CONNECTIONS = 20
_STAGGER_S = 0.06
"""Between one connection's start and the next: 1.2 s in all, so that a server which sweeps once a second shows it."""
_LATE_CHECKS = 3


def _run(session: ProbeSession) -> Finding:
    return with_owner(session, _found(session))


def _found(session: ProbeSession) -> Finding:
    seen = Watched()
    try:
        some_side_by_side([partial(_watch, session, seen, number) for number in range(_CONNECTIONS)], _STAGGER_S)
    except gevent.GreenletExit:  # interrupted: what is known by now is worth saying
        seen.forget_second_responses()
        return finding_of_closes(seen) if seen.closes else finding_of_interrupted(seen, session.now_ns())
    seen.forget_second_responses()
    if seen.closes:
        return finding_of_closes(seen)
    return finding_of_kept(seen) if seen.kept_ns else never_idle(seen)


def _watch(session: ProbeSession, seen: Watched, number: int) -> None:
    """Use one connection once or twice, then watch it until the server closes it. Raises a ProbeFailure."""
    if seen.is_full:
        return
    with session.open() as stream:
        try:
            reply, responses = _used(session, seen, stream, 1 + number % 2)
        except NoResponse as failure:
            if failure.how is Loss.TIMEOUT:
                seen.note_full()
            raise
        if reply is None or seen.is_full:
            return
        seen.note_announcement(reply)
        seen.idle_from_ns.append(reply.done_ns)
        seen.watching.append(gevent.getcurrent())
        session.waiting_for = "idle connections to be closed"
        session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
        words, has_ended = stream.wait_end(session.waiting_until_ns)
        if has_ended:
            seen.closes.append(Close(reply.done_ns, stream.ended_ns, stream.ended, words, responses, reply.sent_ns))
            return
        seen.kept_ns.append(session.now_ns() - reply.done_ns)
        if len(seen.kept_ns) <= _LATE_CHECKS and session.now_ns() < session.deadline_ns:
            _check_kept(session, seen, stream)


def _used(session: ProbeSession, seen: Watched, stream: ProbeStream, times: int) -> tuple[Reply | None, int]:
    """The last response of that many requests; None where the connection is not kept after them.

    Raises NoResponse, and ProbeFailure where the server wants fewer requests.
    """
    reply: Reply | None = None
    for number in range(times):
        try:
            reply = session.ask(stream)
        except NoResponse:
            if not number:
                raise
            reply = None  # a server that gives one response a connection without saying so
        if reply is None or not reply.persists:
            if reply is not None:
                session.check_limit(reply.head.status)
            seen.not_kept += 1
            return None, 0
    return reply, times


def _check_kept(session: ProbeSession, seen: Watched, stream: ProbeStream) -> None:
    """One more request on a connection that was never closed: does anything still know it?"""
    try:
        session.ask(stream)
    except NoResponse as failure:
        # A FIN is the server's own, which came late; a reset or silence is of something that forgot the connection.
        seen.dead += failure.how is not Loss.FIN


IDLE_TIMEOUT = Probe(
    name="idle_timeout",
    title="Idle timeout",
    question="After which idle time does the server close a connection?",
    method=f"{_CONNECTIONS} connections are opened within {_CONNECTIONS * _STAGGER_S:.1f} s, each used once or twice, "
    "and watched until the server closes them.",
    section="RFC 9112 §9.5",
    values={
        "timeout_ns": "the idle timeout: median idle time at which the server closed; of a server that sweeps, the "
        "time before which it closes none",
        "timeout_low_ns": "lower end of the timeout's interval",
        "timeout_high_ns": "upper end of the timeout's interval",
        "min_ns": "shortest idle time at which the server closed a connection",
        "max_ns": "longest of these",
        "shape": "`timer`: all at the same idle time; `sweep`: now and then all that are too old; `scattered`: neither "
        "of them; `at once`: with the response, which did not say so",
        "sweep_ns": "time from one sweep to the next",
        "connections": "connections that the server closed",
        "kept": "connections that it still kept at the end of the watch",
        "not_kept": "connections that never became idle, because the response announced their end",
        "ended_by": "`fin`, `reset`, or `fin and reset`",
        "last_status": "status code of a response that the server sent before it closed, like 408",
        "announced_ns": "what the Keep-Alive field's timeout says",
        "after_one_response_ns": "median after one response, where it differs from that after two",
        "after_two_responses_ns": "median after two responses, where it differs from that after one",
        "served_at_once": "connections that the server kept when it had no response for a further one",
        "longer_than_ns": "no connection was closed within this time",
        "dead": "of the kept connections that got one more request, those without a response",
    },
    requests=_CONNECTIONS + _CONNECTIONS // 2 + _LATE_CHECKS,
    connections=_CONNECTIONS,
    run=_run,
    waits=True,
)
