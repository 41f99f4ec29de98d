"""What happens to content that a server does not want: is it read, or the connection closed (RFC 9112 §9.3)?

The response to a request is often known before its content: 401, 404, 405. What is left of the content must then be
read or the connection closed, or it would be taken for the next request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.content import METHODS, TYPE_FIELD, content
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, follow_up
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_SIZE_BYTES = 16_384
_WAIT_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class _ContentTry:
    """One request with content, and what came of its connection."""

    method: str
    status: int
    """0 where no response came;"""
    detail: str
    """and then why not."""
    step: FollowUp
    ended: str
    """How the server ended the connection it had announced to close: `fin`, `reset`, or empty."""

    @property
    def verdict(self) -> Verdict:
        if not self.status or self.ended == "reset":
            return Verdict.WARNING
        return _VERDICTS[self.step]

    @property
    def request(self) -> str:
        return f"{self.method} {self.status}" if self.status else self.method

    @property
    def end(self) -> str:
        if not self.status:
            return self.detail
        return f"{self.step.value}, by reset" if self.ended == "reset" else self.step.value


_VERDICTS = {
    FollowUp.IN_STEP: Verdict.OK,
    FollowUp.ANNOUNCED: Verdict.OK,
    FollowUp.CLOSED_AS_EVER: Verdict.NOTE,
    FollowUp.CLOSED: Verdict.WARNING,
    FollowUp.SILENT: Verdict.WARNING,
    FollowUp.OUT_OF_STEP: Verdict.VIOLATION,
    FollowUp.MISREAD: Verdict.VIOLATION,
}


def _run(session: ProbeSession) -> Finding:
    found = [_try(session, method) for method in METHODS]
    worst = max(found, key=lambda tried: list(Verdict).index(tried.verdict))
    values: dict[str, FindingValue] = {}
    for tried in found:
        name = tried.method.lower()
        values |= {f"{name}_status": tried.status, f"{name}_step": tried.step.value}
    return Finding(
        verdict=worst.verdict,
        measured=_text(found),
        values=values,
        advice=_advice(worst),
        topic="lingering_close" if worst.verdict == Verdict.WARNING else None,
    )


def _try(session: ProbeSession, method: str) -> _ContentTry:
    with session.open() as stream:
        try:
            reply = session.ask(stream, session.request(method=method, fields=(TYPE_FIELD,), body=content(_SIZE_BYTES)))
        except NoResponse as lost:
            return _ContentTry(method, 0, str(lost), FollowUp.CLOSED, stream.ended)
        step = follow_up(session, stream, reply)
        if step == FollowUp.ANNOUNCED:
            stream.wait_end(session.until_ns(_WAIT_NS))
        return _ContentTry(method, reply.head.status, "", step, stream.ended if step == FollowUp.ANNOUNCED else "")


def _text(found: Sequence[_ContentTry]) -> str:
    ends = {tried.end for tried in found}
    if len(ends) == 1:
        return f"{', '.join(tried.request for tried in found)}: {ends.pop()}"
    return "; ".join(f"{tried.request}: {tried.end}" for tried in found)


def _advice(worst: _ContentTry) -> str | None:
    if worst.verdict == Verdict.VIOLATION:
        return "the server must read the content it does not want, or close: it takes a client's data for a request"
    if worst.verdict in (Verdict.OK, Verdict.NOTE):
        return None
    if not worst.status or worst.ended == "reset":
        return "let the server read on for a while before it closes (lingering close): a reset can cost the response"
    return "let the server say `Connection: close` with such a response: the next request on the connection is lost"


UNREAD_BODY = Probe(
    name="unread_body",
    title="Unwanted content",
    question="Is the connection in step, or closed, after content that the server does not want?",
    method=(
        f"OPTIONS and GET, each with {_SIZE_BYTES:,} bytes of content, and a GET behind it on the same connection. "
        "Both are safe methods; no POST is sent."
    ),
    section="RFC 9112 §9.3",
    values={
        "options_status": "status of the response to OPTIONS, 0 where none came",
        "options_step": "what the GET behind it found",
        "get_status": "status of the response to GET with content, 0 where none came",
        "get_step": "what the GET behind it found",
    },
    requests=2 * len(METHODS),
    connections=len(METHODS),
    needs=PLAIN,
    run=_run,
)
