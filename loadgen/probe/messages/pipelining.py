"""Are requests answered that are sent before the responses of earlier ones, and in order (RFC 9112 §9.3.2)?

GET and HEAD take turns: one response has content and the other has not, so one that is out of order does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.messages.follow_up import PLAIN, FollowUp, closes_each
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_REQUESTS = 4
_STATUS_LINE = b"HTTP/1."


@dataclass(slots=True)
class _PipelineAnswers:
    """What came to the requests that were sent in one go."""

    answered: int = 0
    says_close: bool = False
    """The last response did,"""
    closes_each: bool = False
    """or the server closes after each request anyway."""
    out_of_order: bool = False
    loss: Loss | None = None


def _run(session: ProbeSession) -> Finding:
    head = session.finding("head_keeps_step")
    # Only where HEAD is answered right by itself does a wrong answer say something about the order.
    tells_order = head is not None and head.values.get("step") == FollowUp.IN_STEP.value and bool(session.first.body)
    methods = ("GET", "HEAD" if tells_order else "GET") * (_REQUESTS // 2)
    with session.open() as stream:
        session.send(stream, b"".join(session.request(method=method) for method in methods), _REQUESTS)
        answers = _PipelineAnswers()
        rest = b""
        for method in methods:
            try:
                reply = session.read(stream, is_head=method == "HEAD", rest=rest, pipelined=True)
            except NoResponse as lost:
                if not answers.answered:
                    raise
                answers.loss = lost.how
                answers.closes_each = lost.how in (Loss.FIN, Loss.RESET) and closes_each(session)
                answers.out_of_order = tells_order and lost.how == Loss.MALFORMED
                break
            answers.answered += 1
            is_other_response = reply.body.startswith(_STATUS_LINE) and not session.first.body.startswith(_STATUS_LINE)
            answers.out_of_order = tells_order and is_other_response
            answers.says_close = not reply.persists
            rest = reply.extra
            if answers.out_of_order or answers.says_close:
                break
    return _judge(answers, tells_order=tells_order)


def _judge(answers: _PipelineAnswers, *, tells_order: bool) -> Finding:
    values: dict[str, FindingValue] = {"answered": answers.answered, "requests": _REQUESTS}
    if tells_order and (answers.out_of_order or answers.answered == _REQUESTS):
        values["in_order"] = not answers.out_of_order
    if answers.out_of_order:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured="responses come out of order",
            values=values,
            advice="never pipeline here: a client takes one response for another's; policy pipeline must not be used",
        )
    if answers.answered == _REQUESTS:
        order = "in order" if tells_order else "whether in order can't be told"
        return Finding(verdict=Verdict.OK, measured=f"{_REQUESTS} of {_REQUESTS} answered, {order}", values=values)
    text = f"{answers.answered} of {_REQUESTS} answered"
    if answers.says_close or answers.closes_each:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{text}, then closed, as {'announced' if answers.says_close else 'after each request'}",
            values=values,
            advice="don't pipeline here: requests behind the first one have to be sent again",
        )
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"{text}, {_LOSSES[answers.loss or Loss.FIN]}",
        values=values,
        advice="don't pipeline here: requests that arrive together with another one are lost",
    )


_LOSSES = {
    Loss.FIN: "then closed without saying so",
    Loss.RESET: "then reset",
    Loss.TIMEOUT: "the others are dropped",
    Loss.MALFORMED: "then bytes that are no response",
}

PIPELINING = Probe(
    name="pipelining",
    title="Pipelining",
    question="Are pipelined requests answered, and in order?",
    method=f"{_REQUESTS} requests in one go on one connection, GET and HEAD in turns.",
    section="RFC 9112 §9.3.2",
    values={
        "answered": "requests that got a response",
        "requests": "requests that were sent",
        "in_order": "whether the responses came in the order of the requests; absent where it could not be told",
    },
    requests=_REQUESTS,
    connections=1,
    needs=(*PLAIN, "head_keeps_step"),
    run=_run,
)
