"""How long does the proxy keep an idle connection to the origin?"""

from __future__ import annotations

from collections.abc import Iterator

import gevent

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_S, format_duration
from loadgen.probe.chain.origin import ASKED_AT_MOST, NOT_TOLD, ask_number, at_origin, idle_end, no_chain
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession

_TRIES = 8
_LOOKS = 60
_MIN_PAUSE_NS = 100 * NS_PER_MS
_GROWTH = 0.25
"""Each look comes later by this share of the time that has passed."""
_AT_ONCE_NS = 20 * NS_PER_MS
_QUIET_NS = 300 * NS_PER_MS
_SHARE_OF_AUDIT = 0.65
"""The rest is for what comes after it, which needs a chain that is quiet."""


def _run(session: ProbeSession) -> Finding:
    last_ns = session.until_ns(int((session.deadline_ns - session.now_ns()) * _SHARE_OF_AUDIT))
    session.waiting_for, session.waiting_until_ns = "the proxy to close an idle connection to the origin", last_ns
    looks = iter(range(_LOOKS))
    for _ in range(_TRIES):
        _await_quiet(session, last_ns)
        begun_ns = session.now_ns()
        session.waiting_until_ns = until_ns = min(begun_ns + session.plan.idle_max_ns, last_ns)
        with session.open() as stream:
            number = ask_number(session, stream, keep=True)
            if number is None:
                return unknown(NOT_TOLD)
            end = _watch(session, stream, number, until_ns, looks)
        if isinstance(end, _Disturbed):
            continue
        if end is None:
            waited_ns = session.now_ns() - begun_ns
            if waited_ns < _MIN_PAUSE_NS:
                break  # the time is over: that it was open for a moment says nothing
            return Finding(
                verdict=Verdict.OK,
                measured=f"longer than {format_duration(waited_ns)}",
                values={"longer_than_ns": waited_ns},
            )
        return _ended(end)
    return unknown("other requests used the proxy's connection")


def _await_quiet(session: ProbeSession, until_ns: int) -> None:
    """Until other probes have sent nothing for a moment."""
    while session.now_ns() < until_ns and session.others_sent_since(session.now_ns() - _QUIET_NS):
        gevent.sleep(_QUIET_NS / NS_PER_S)


class _Disturbed:
    """Another request may have used the connection, which the origin then closes by its own timeout."""


def _watch(
    session: ProbeSession, stream: ProbeStream, number: int, until_ns: int, looks: Iterator[int]
) -> int | _Disturbed | None:
    """The idle time (ns) after which the proxy ended the connection; None where it is still open at the end."""
    origin, begun_ns = at_origin(session), session.now_ns()
    for _ in looks:
        now_ns = session.now_ns()
        next_ns = min(now_ns + max(_MIN_PAUSE_NS, int((now_ns - begun_ns) * _GROWTH)), until_ns)
        stream.wait_end(next_ns)
        gevent.sleep(max(0, next_ns - session.now_ns()) / NS_PER_S)
        end = idle_end(origin, number)
        if end is not None:
            by, idle_ns = end
            # The origin closes a used connection at once only where the proxy asked it to.
            return idle_ns if by == "client" or idle_ns < _AT_ONCE_NS else _Disturbed()
        if session.others_sent_since(begun_ns):
            return _Disturbed()
        if next_ns >= until_ns:
            break
    return None


def _ended(idle_ns: int) -> Finding:
    if idle_ns < _AT_ONCE_NS:
        return Finding(
            verdict=Verdict.NOTE,
            measured="closes it after each response",
            values={"timeout_ns": idle_ns},
            topic="upstream_keep_alive",
        )
    return Finding(verdict=Verdict.OK, measured=format_duration(idle_ns), values={"timeout_ns": idle_ns})


UPSTREAM_IDLE_TIMEOUT = Probe(
    name="upstream_idle_timeout",
    title="Idle timeout to the origin",
    question="After which idle time does the proxy close its connection to the origin?",
    method="The origin, a `loadgen target`, leaves one connection open beyond its own timeout, and tells its end.",
    section="RFC 9112 §9.5",
    values={
        "timeout_ns": "idle time at which the proxy closed its connection",
        "longer_than_ns": "the proxy did not close it within this time",
    },
    requests=_TRIES * ASKED_AT_MOST + _LOOKS,
    connections=_TRIES + _LOOKS,
    run=_run,
    needs_quiet=True,
    not_for=no_chain,
)
