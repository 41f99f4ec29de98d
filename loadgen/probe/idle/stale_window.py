"""How often is a request lost that meets the server's idle timeout (RFC 9112 §9.5), and what idle time is safe?"""

from __future__ import annotations

from functools import partial
from statistics import median

import gevent

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.failures import Loss, NoResponse, ProbeFailure
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.idle.stale_tries import TOPIC, StaleOutcome, StaleRange, StaleTry, stale_finding
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession, Reply
from loadgen.probe.side_by_side import side_by_side

_TRIES = 40
_NEEDED = "idle_timeout"
_PATIENCE_NS = 10 * NS_PER_S
"""Connections begin to be idle after this time, also where the timeout is not known yet: it must not pass twice.

They are younger than those on which it is measured, so it is known before they reach it.
"""
_SPREAD_S = 2.5
_SPREAD_SHARE = 0.25
"""The connections begin within this time, or within this share of the timeout where that is known and shorter."""
_REQUEST_TIMEOUT = 408


def _run(session: ProbeSession) -> Finding:
    tries, spread_s = _TRIES, _SPREAD_S
    if session.has_ended(_NEEDED, _PATIENCE_NS):
        early = _without_timeout(session)
        if early is not None:
            return early
        spread_s = min(spread_s, _SPREAD_SHARE * _timeout_ns(session) / NS_PER_S)
        places = _idle(session).get("served_at_once")
        tries = min(tries, places // 2) if isinstance(places, int) else tries
    crowd = _Crowd(session, tries)
    outcomes = side_by_side([partial(crowd.one, number, number * spread_s / tries) for number in range(tries)])
    late = _without_timeout(session)
    if late is not None:
        return late
    found = [one for one in outcomes if isinstance(one, StaleTry)]
    if not found:
        failures = [str(one) for one in outcomes if isinstance(one, ProbeFailure)]
        return unknown((failures or ["no connection was idle for long enough within the audit's time"])[0])
    rtt_ns = int(median(crowd.rtts_ns))
    idle = _idle(session)
    return stale_finding(found, idle, StaleRange.around(idle, rtt_ns), rtt_ns)


def _idle(session: ProbeSession) -> dict[str, FindingValue]:
    """What the probe of the idle timeout found; waits for it."""
    found = session.finding(_NEEDED)
    return {} if found is None else dict(found.values)


def _timeout_ns(session: ProbeSession) -> int:
    """0 where the server has none, as far as it is known."""
    value = _idle(session).get("timeout_ns")
    return value if isinstance(value, int) else 0


def _without_timeout(session: ProbeSession) -> Finding | None:
    """The finding where no idle connection was closed."""
    idle = _idle(session)
    if idle.get("shape") == "at once" or ("timeout_ns" not in idle and idle.get("not_kept")):
        return Finding(verdict=Verdict.OK, measured="no connection is ever idle", values={}, topic=TOPIC)
    if "timeout_ns" in idle:
        return None
    longer_ns = idle.get("longer_than_ns")
    if not isinstance(longer_ns, int) or idle.get("dead"):
        return unknown("the server's idle timeout is not known")
    return Finding(
        verdict=Verdict.OK,
        measured=f"no idle connection was closed within {format_duration(longer_ns)}",
        values={"safe_idle_ns": longer_ns},
        topic=TOPIC,
    )


class _Crowd:
    """The connections that are to be used at nearly the timeout. They go where the server has no place for them all."""

    def __init__(self, session: ProbeSession, tries: int) -> None:
        self.rtts_ns: list[int] = []
        self._session = session
        self._tries = tries
        self._is_too_large = False
        self._idle: list[gevent.Greenlet] = []

    def one(self, number: int, delay_s: float) -> StaleTry | None:
        """Let one connection be idle for nearly the timeout, then use it; None where the time does not suffice.

        Raises ProbeFailure where it is never idle.
        """
        gevent.sleep(delay_s)
        session = self._session
        with session.open() as stream:
            reply = self._first_reply(stream)
            self._idle.append(gevent.getcurrent())
            rtt_ns = stream.connected_ns - stream.opening_ns
            self.rtts_ns.append(rtt_ns)
            session.waiting_for = "connections to be as old as the idle timeout"
            session.waiting_until_ns = session.until_ns(session.plan.idle_max_ns)
            if not reply.persists or not _timeout_ns(session):
                return None
            due_ns = reply.done_ns + StaleRange.around(_idle(session), rtt_ns).part(number, self._tries)
            session.waiting_until_ns = due_ns
            if not session.now_ns() < due_ns < session.deadline_ns:
                return None
            return _used(session, stream, reply, due_ns)

    def _first_reply(self, stream: ProbeStream) -> Reply:
        try:
            if not self._is_too_large:
                return self._session.ask(stream)
        except NoResponse as failure:
            if failure.how is not Loss.TIMEOUT:
                raise
            self._is_too_large = True
            gevent.killall(self._idle, block=False)
        raise ProbeFailure("the server has no place for enough connections at once")


def _used(session: ProbeSession, stream: ProbeStream, reply: Reply, due_ns: int) -> StaleTry:
    # Looked at once more when it is due: what came in that turn of the loop was there before the request.
    chunk = stream.receive(due_ns) or stream.receive(session.now_ns())
    if chunk is not None:
        return StaleTry(due_ns - reply.done_ns, StaleOutcome.CLOSED_BEFORE)
    sent_ns = session.send(stream, session.request())
    try:
        status = session.read(stream, sent_ns).head.status
    except NoResponse as failure:
        outcome = StaleOutcome.REFUSED if failure.how is Loss.MALFORMED else StaleOutcome.DIED
    else:
        outcome = StaleOutcome.REFUSED if status == _REQUEST_TIMEOUT else StaleOutcome.ANSWERED
    return StaleTry(sent_ns - reply.done_ns, outcome, reply.took_ns)


STALE_WINDOW = Probe(
    name="stale_window",
    title="Stale window",
    question="How often is a request lost that meets the idle timeout, and what idle time is safe?",
    method=f"{_TRIES} connections are used again after idle times spread evenly around the measured timeout.",
    section="RFC 9112 §9.5",
    values={
        "safe_idle_ns": "longest idle time after which a client may use a connection again",
        "first_ns": "shortest idle time that was tried",
        "last_ns": "longest idle time that was tried",
        "rtt_ns": "median time to connect: one round trip",
        "tries": "connections that were to be used at nearly the timeout",
        "sent": "requests that were sent, because the connection looked open",
        "answered": "of these, those that got a response",
        "refused": "of these, those that got 408, or something that is no response",
        "died": "of these, those without a response; whether they reached the application can't be known",
        "closed_before": "connections whose close was seen before the request was due; no request was sent",
        "rate": "share of the requests sent that died",
        "rate_low": "lower end of its interval (95 %, Wilson)",
        "rate_high": "upper end of its interval",
        "window_ns": "width of the range of idle times at which a request dies",
        "window_low_ns": "lower end of its interval (95 %, Wilson)",
        "window_high_ns": "upper end of its interval",
        "first_loss_ns": "shortest idle time after which a request died",
    },
    requests=2 * _TRIES,
    connections=_TRIES,
    run=_run,
    waits=True,
    needs=(_NEEDED,),
)
