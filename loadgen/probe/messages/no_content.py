"""Do responses with 304 and 204 end with their head (RFC 9112 §6.3), so that the next one is found where it begins?

A 304 is asked for with the validators of the first response; a 204 is what some servers answer to OPTIONS.
"""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, follow_up
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply

_VALIDATORS = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))
_FRAMING = (("content-length", "RFC 9110 §8.6"), ("transfer-encoding", "RFC 9112 §6.1"))
"""Fields that a 204 must not have, and where that stands."""


@dataclass(frozen=True, slots=True)
class _WithoutContent:
    """One response without content, and what came behind it."""

    status: int
    step: FollowUp
    framing: str
    """A field that such a response must not have, empty where it has none."""

    @property
    def verdict(self) -> Verdict:
        return Verdict.VIOLATION if self.framing else self.step.without_content

    @property
    def text(self) -> str:
        return f"{self.status}{f' with {self.framing}' if self.framing else ''}: {self.step.value}"


def _run(session: ProbeSession) -> Finding:
    found = [tried for tried in (_try_304(session), _try_204(session)) if tried is not None]
    if not found:
        return unknown("this URL gives neither 304 nor 204")
    worst = max(found, key=lambda tried: list(Verdict).index(tried.verdict))
    values: dict[str, FindingValue] = {f"step_{tried.status}": tried.step.value for tried in found}
    return Finding(
        verdict=worst.verdict,
        measured="; ".join(tried.text for tried in found),
        values=values,
        section=next((section for name, section in _FRAMING if worst.framing.lower().startswith(name)), None),
        advice=None if worst.verdict in (Verdict.OK, Verdict.NOTE) else _advice(worst),
    )


def _try_304(session: ProbeSession) -> _WithoutContent | None:
    fields = tuple(
        (condition, value) for name, condition in _VALIDATORS if (value := session.first.field(name)) is not None
    )
    return _try(session, session.request(fields=fields or (("If-None-Match", "*"),)), 304)


def _try_204(session: ProbeSession) -> _WithoutContent | None:
    return _try(session, session.request(method="OPTIONS"), 204)


def _try(session: ProbeSession, request: bytes, status: int) -> _WithoutContent | None:
    """None where the server does not answer with that status."""
    with session.open() as stream:
        try:
            reply = session.ask(stream, request)
        except NoResponse:
            return None
        if reply.head.status != status:
            return None
        return _WithoutContent(status, follow_up(session, stream, reply), _wrong_framing(reply))


def _wrong_framing(reply: Reply) -> str:
    """The field of a 204 that it must not have; a 304 may say how long the content would be."""
    if reply.head.status != 204:
        return ""
    found = [f"{name.title()}: {value}" for name, _ in _FRAMING if (value := reply.field(name)) is not None]
    return found[0] if found else ""


def _advice(worst: _WithoutContent) -> str:
    if worst.framing:
        return "leave that field out: the response ends with its head, and a client that reads on waits for ever"
    if worst.step == FollowUp.CLOSED:
        return f"let the server say `Connection: close` with a {worst.status}, or keep the connection"
    return f"a {worst.status} must end with its head: what follows is taken for the next response"


NO_CONTENT = Probe(
    name="no_content",
    title="In step after 304 and 204",
    question="Is the connection in step after a response that has no content by its status?",
    method=(
        "A conditional GET with the validators of the first response, and OPTIONS; where they give 304 and 204, a GET "
        "on the same connection."
    ),
    section="RFC 9112 §6.3",
    values={
        "step_304": "what the GET behind the 304 found",
        "step_204": "what the GET behind the 204 found",
    },
    requests=4,
    connections=2,
    needs=PLAIN,
    run=_run,
)
