"""Whether a connection is still in step after an exchange that is easily got wrong: a plain GET on it tells.

In step means that each response belongs to the request that it is taken for (RFC 9112 §9.3). Knows no probe.
"""

from __future__ import annotations

from enum import StrEnum

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession, Reply

_NOT_UNDERSTOOD = frozenset((400, 414, 431, 501, 505))
"""How servers answer bytes that are no request, or no complete one."""


PLAIN = ("persistent_by_default",)
"""What tells whether a connection is kept behind a plain request; a probe that uses `follow_up` needs it."""
_PATIENCE_NS = NS_PER_S
_TIMES_PLAIN = 3


def patience_ns(session: ProbeSession) -> int:
    """How long to wait for what may never come: a second, and some times as long as a plain response takes here."""
    return min(session.plan.timeout_ns, _PATIENCE_NS + _TIMES_PLAIN * session.first.took_ns)


class FollowUp(StrEnum):
    """What a request found that followed on the same connection."""

    IN_STEP = "in step"
    ANNOUNCED = "closed, as announced"
    CLOSED = "closed without saying so"
    CLOSED_AS_EVER = "closed, as after each request"
    SILENT = "no answer afterwards"
    OUT_OF_STEP = "out of step"
    MISREAD = "the next request was not understood"

    @property
    def is_clean(self) -> bool:
        """A client loses nothing by the message itself."""
        return self in (FollowUp.IN_STEP, FollowUp.ANNOUNCED, FollowUp.CLOSED_AS_EVER)

    @property
    def without_content(self) -> Verdict:
        """How it is to be taken behind a response that ends with its head: there was nothing to get wrong."""
        return _WITHOUT_CONTENT.get(self, Verdict.WARNING)


def follow_up(session: ProbeSession, stream: ProbeStream, reply: Reply) -> FollowUp:
    """Send a GET behind an exchange, whose response is `reply`, unless that says close.

    Raises OverBudget, and NoResponse where the next response is too long to be read.
    """
    if reply.extra:
        return FollowUp.OUT_OF_STEP
    if not reply.persists:
        return FollowUp.ANNOUNCED
    try:
        after = session.ask(stream)
    except NoResponse as lost:
        if lost.how not in _STEPS:
            raise
        found = _STEPS[lost.how]
        return FollowUp.CLOSED_AS_EVER if found == FollowUp.CLOSED and closes_each(session) else found
    is_understood = after.head.status not in _NOT_UNDERSTOOD or after.head.status == session.first.head.status
    if after.extra:
        return FollowUp.OUT_OF_STEP
    return FollowUp.IN_STEP if is_understood else FollowUp.MISREAD


def closes_each(session: ProbeSession) -> bool:
    """The server closes after each request, whatever it is. For a probe whose `needs` are PLAIN."""
    found = session.finding(PLAIN[0])
    return found is not None and found.values.get("answered") == 1


_WITHOUT_CONTENT = {
    FollowUp.IN_STEP: Verdict.OK,
    FollowUp.ANNOUNCED: Verdict.NOTE,
    FollowUp.CLOSED_AS_EVER: Verdict.NOTE,
    FollowUp.OUT_OF_STEP: Verdict.VIOLATION,
}
_STEPS = {
    Loss.FIN: FollowUp.CLOSED,
    Loss.RESET: FollowUp.CLOSED,
    Loss.TIMEOUT: FollowUp.SILENT,
    Loss.MALFORMED: FollowUp.OUT_OF_STEP,
}
