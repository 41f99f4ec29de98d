"""What comes of `Expect: 100-continue` (RFC 9110 §10.1.1): 100, a final status, or nothing until the content comes?"""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import format_duration
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.content import METHODS, TYPE_FIELD, content
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, follow_up, patience_ns
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.wire.http1.final_head import LINE_END_BYTES, head_end
from loadgen.wire.http1.head import Malformed, parse_response_head

_SIZE_BYTES = 1_024
_CONTINUE = 100
_EXPECTATION_FAILED = 417


@dataclass(slots=True)
class _ExpectAnswer:
    """What one request with the expectation got."""

    early_status: int = 0
    """What came before the content was sent: 100, or a final status; 0 for nothing."""
    early_ns: int = 0
    """How long that took, or was waited for."""
    status: int = 0
    """The final status, 0 where none came."""
    step: FollowUp = FollowUp.CLOSED

    @property
    def tells_much(self) -> bool:
        """It is not only that the method is refused."""
        return self.early_status < 400 or self.early_status == _EXPECTATION_FAILED


def _run(session: ProbeSession) -> Finding:
    answers: list[_ExpectAnswer] = []
    for method in METHODS:
        answers.append(_ask(session, method))
        if answers[-1].tells_much:
            break
    return _judge(session, answers[-1] if answers[-1].tells_much else answers[0])


def _ask(session: ProbeSession, method: str) -> _ExpectAnswer:
    """Send the head, wait for what comes, then send the content, which the server was promised."""
    fields = (TYPE_FIELD, ("Content-Length", str(_SIZE_BYTES)), ("Expect", "100-continue"))
    answer = _ExpectAnswer()
    with session.open() as stream:
        sent_ns = session.send(stream, session.request(method=method, fields=fields))
        answer.early_status, received = _early(session, stream, session.until_ns(patience_ns(session)))
        answer.early_ns = session.now_ns() - sent_ns
        is_final = answer.early_status >= 200
        if not is_final:
            session.send(stream, content(_SIZE_BYTES), 0)
        try:
            reply = session.read(stream, sent_ns, rest=received)
        except NoResponse as lost:
            if not answer.early_status and lost.how == Loss.MALFORMED:
                raise
            answer.step = FollowUp.SILENT if lost.how == Loss.TIMEOUT else FollowUp.CLOSED
            return answer
        answer.status = reply.head.status
        if is_final and reply.persists:
            # It goes on to read the content, or else it would have to close (RFC 9112 §9.3).
            session.send(stream, content(_SIZE_BYTES), 0)
        answer.step = follow_up(session, stream, reply)
    return answer


def _early(session: ProbeSession, stream: ProbeStream, until_ns: int) -> tuple[int, bytes]:
    """The status of the first response that is 100 or final, 0 where none came; and all bytes that came."""
    received = pending = b""
    while (chunk := stream.receive(until_ns)) is not None and chunk.data:
        received += chunk.data
        pending = (pending + chunk.data).lstrip(LINE_END_BYTES)
        try:
            while end := head_end(pending):
                head = parse_response_head(pending[:end])
                if head.status == _CONTINUE or head.status >= 200:
                    return head.status, received
                pending = pending[end:].lstrip(LINE_END_BYTES)
        except Malformed as error:
            raise NoResponse(Loss.MALFORMED, received, session.now_ns(), f"the answer is not HTTP: {error}") from None
    return 0, received


def _judge(session: ProbeSession, answer: _ExpectAnswer) -> Finding:
    values: dict[str, FindingValue] = {"early_status": answer.early_status, "early_ns": answer.early_ns}
    if answer.status:
        values |= {"status": answer.status, "step": answer.step.value}
    took = format_duration(answer.early_ns)
    if answer.early_status == 0:
        return _no_early_answer(session, answer, values)
    early = f"{answer.early_status} after {took}"
    if answer.early_status == _CONTINUE:
        early += f", then {answer.status}" if answer.status else ", then no final response"
    if answer.step == FollowUp.MISREAD or answer.step == FollowUp.OUT_OF_STEP:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"{early}; then {answer.step.value}",
            values=values,
            section="RFC 9112 §9.3",
            advice="announced content is taken for a request: the server must read it, or close the connection",
            topic="expect_continue",
        )
    if answer.early_status == _EXPECTATION_FAILED:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{early}: expectations are refused",
            values=values,
            advice="let clients send no Expect field (curl: -H 'Expect:'): each such request is sent twice",
            topic="expect_continue",
        )
    return Finding(
        verdict=Verdict.OK if answer.step.is_clean else Verdict.WARNING,
        measured=f"{early}; {answer.step.value}",
        values=values,
        advice=None if answer.step.is_clean else "a client must not use the connection again after this response",
        topic=None if answer.step.is_clean else "expect_continue",
    )


def _no_early_answer(session: ProbeSession, answer: _ExpectAnswer, values: dict[str, FindingValue]) -> Finding:
    """Neither 100 nor a final status came before the content."""
    if not answer.status:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"no response at all: {answer.step.value}",
            values=values,
            advice="let the server answer 417 where it does not take expectations, or clients send no Expect",
            topic="expect_continue",
        )
    return Finding(
        verdict=_of_silence(session),
        measured=f"nothing within {format_duration(answer.early_ns)}, then {answer.status}",
        values=values,
        advice="each such request waits that long; let the server send 100, or clients send no Expect",
        topic="expect_continue",
    )


def _of_silence(session: ProbeSession) -> Verdict:
    """How bad it is. An origin server must answer at once; a proxy must pass the head on, and may wait for the rest."""
    if session.first.head.version == "1.0":
        return Verdict.NOTE
    return Verdict.WARNING if session.plan.is_forwarded else Verdict.VIOLATION


EXPECT_CONTINUE = Probe(
    name="expect_continue",
    title="Expect: 100-continue",
    question="What answers a request that waits for 100 before it sends its content?",
    method=(
        f"OPTIONS with the expectation and {_SIZE_BYTES:,} bytes of content, which follow after the 100 or a second; "
        "GET where OPTIONS is refused. Then a GET on the same connection. No POST is sent."
    ),
    section="RFC 9110 §10.1.1",
    values={
        "early_status": "what came before the content was sent: 100, a final status, or 0 for nothing",
        "early_ns": "how long that took, or was waited for",
        "status": "the final status",
        "step": "what the GET behind it found",
    },
    requests=2 * len(METHODS),
    connections=len(METHODS),
    needs=PLAIN,
    run=_run,
)
