"""What happens to a connection after a response: it is closed, it serves another request, or neither."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.failures import NoResponse
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession, Reply

_CLOSE_NS = 3 * NS_PER_S // 2
"""How long a close that is due is waited for. Most servers close within milliseconds, Envoy after a second."""


def close_wait_ns(session: ProbeSession) -> int:
    """How long a close that is due is waited for."""
    return min(_CLOSE_NS, session.plan.timeout_ns)


class Next(StrEnum):
    """What came next."""

    CLOSED = "closed"  # the server ended its side within the time allowed, without one more request
    ANSWERED = "answered"  # it stayed open, and one more request was answered
    SILENT = "silent"  # it stayed open, and one more request was not answered


class AfterResponse(NamedTuple):
    """How a connection went on. closed_ns: time from the last byte of the response to the server's end; else None."""

    what: Next
    ended: str
    """How the server ended its side: `fin`, `reset`, or empty."""
    closed_ns: int | None

    @property
    def text(self) -> str:
        """When it was closed, for people."""
        return within(self.closed_ns)


def within(closed_ns: int | None) -> str:
    """When a connection was closed, for people. A response without a length ends with the close itself."""
    return f"within {format_duration(closed_ns)}" if closed_ns else "with the last byte"


def after_response(
    session: ProbeSession, stream: ProbeStream, reply: Reply, wait_ns: int | None = None, again: bytes | None = None
) -> AfterResponse:
    """Wait for the server's end; where it does not come, send one more request and see. Raises OverBudget.

    wait_ns: for how long; until a close is due if it is not given. again: that request; a plain one if it is not given.
    """
    _, has_ended = stream.wait_end(session.until_ns(close_wait_ns(session) if wait_ns is None else wait_ns))
    if has_ended:
        return AfterResponse(Next.CLOSED, stream.ended, max(0, stream.ended_ns - reply.done_ns))
    try:
        session.ask(stream, again)
    except NoResponse:
        return AfterResponse(Next.SILENT, stream.ended, None)
    return AfterResponse(Next.ANSWERED, stream.ended, None)
