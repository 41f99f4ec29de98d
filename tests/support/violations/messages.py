"""Servers that lose their place in the connection over one kind of message."""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from tests.support.message_server import CLOSE, Peer, response, right_answer, serves
from tests.support.violations.violation import Violation

_SHORT = {"timeout_ns": 300 * NS_PER_MS}


def _content_for_head(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head.replace(b"HEAD", b"GET", 1))


def _closes_behind_head(peer: Peer, head: bytes) -> bytes:
    if head.startswith(b"HEAD"):
        peer.connection.sendall(right_answer(peer, head))
        return b""
    return right_answer(peer, head)


def _content_with_304(peer: Peer, head: bytes) -> bytes:
    answer = right_answer(peer, head)
    return answer + b"hello" if b" 304 " in answer else answer


def _length_with_204(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head).replace(b"Allow: GET", b"Content-Length: 0")


def _swaps(peer: Peer, head: bytes) -> bytes:
    """Answers HEAD before a GET that came with it, as a server would that does not wait for the slower response."""
    if head.startswith(b"GET") and b"HEAD" in peer.waiting:
        return right_answer(peer, peer.head()) + right_answer(peer, head)
    return right_answer(peer, head)


def _drops(peer: Peer, head: bytes) -> bytes:
    peer.drop()
    return right_answer(peer, head)


def _closes_between(peer: Peer, head: bytes) -> bytes:
    if peer.waiting:
        peer.connection.sendall(right_answer(peer, head))
        return b""
    return right_answer(peer, head)


def never_continues(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head.replace(b"Expect: 100-continue", b"X-Expect: none"))


def _closes_on_expectations(peer: Peer, head: bytes) -> bytes:
    return b"" if b"Expect" in head else right_answer(peer, head)


def _sends_too_much_late(peer: Peer, head: bytes) -> bytes:
    """What it sends too much comes in front of the next response, and not behind this one."""
    peer.requests += 1
    return (b"world" if peer.requests > 1 else b"") + right_answer(peer, head)


def _ignores_content(peer: Peer, head: bytes) -> bytes:
    """Answers at once, and takes what follows for the next request."""
    if b"Content-Length" in head:
        return response("405 Method Not Allowed")
    return right_answer(peer, head)


def _closes_on_content(peer: Peer, head: bytes) -> bytes:
    if b"Content-Length" in head:
        peer.content(head)
        peer.connection.sendall(response("405 Method Not Allowed"))
        return b""
    return right_answer(peer, head)


def _resets_on_content(peer: Peer, head: bytes) -> bytes:
    if b"Content-Length" in head:
        peer.connection.sendall(response("413 Content Too Large", CLOSE))
        peer.reset()
        return b""
    return right_answer(peer, head)


def _resets_without_answer(peer: Peer, head: bytes) -> bytes:
    if b"Content-Length" in head:
        peer.reset()
        return b""
    return right_answer(peer, head)


def _sends_too_much(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head) + b"world"


def _throws_away(peer: Peer, head: bytes) -> bytes:
    """Skips what is no request, as if it had not come."""
    while head and not head.startswith((b"GET", b"HEAD", b"OPTIONS")):
        head = peer.head()
    return right_answer(peer, head) if head else b""


MESSAGES = (
    Violation(
        name="content that is longer than its length",
        probe="response_end",
        script=serves(_sends_too_much),
        values={"responses": 1, "extra_bytes": 5},
    ),
    Violation(
        name="bytes between two responses",
        probe="response_end",
        script=serves(_sends_too_much_late),
        values={"responses": 1},
    ),
    Violation(
        name="content in the response to HEAD",
        probe="head_keeps_step",
        script=serves(_content_for_head),
        values={"step": "out of step"},
    ),
    Violation(
        name="closes behind HEAD without saying so",
        probe="head_keeps_step",
        script=serves(_closes_behind_head),
        verdict=Verdict.WARNING,
        values={"step": "closed without saying so"},
    ),
    Violation(
        name="content in a 304",
        probe="no_content",
        script=serves(_content_with_304),
        values={"step_304": "out of step", "step_204": "in step"},
    ),
    Violation(name="a length with 204", probe="no_content", script=serves(_length_with_204)),
    Violation(
        name="responses in another order",
        probe="pipelining",
        script=serves(_swaps),
        values={"in_order": False},
    ),
    Violation(
        name="drops what came with a request",
        probe="pipelining",
        script=serves(_drops),
        verdict=Verdict.WARNING,
        values={"answered": 1},
        plan=_SHORT,
    ),
    Violation(
        name="closes in the middle without saying so",
        probe="pipelining",
        script=serves(_closes_between),
        verdict=Verdict.WARNING,
        values={"answered": 1},
    ),
    Violation(
        name="no 100 and no final status",
        probe="expect_continue",
        script=serves(never_continues),
        values={"early_status": 0},
        plan=_SHORT,
    ),
    Violation(
        name="closes on an expectation",
        probe="expect_continue",
        script=serves(_closes_on_expectations),
        verdict=Verdict.WARNING,
        values={"early_status": 0},
    ),
    Violation(
        name="refuses at once, and takes the content for a request",
        probe="expect_continue",
        script=serves(_ignores_content),
        values={"early_status": 405, "step": "the next request was not understood"},
    ),
    Violation(
        name="takes content for a request",
        probe="unread_body",
        script=serves(_ignores_content),
    ),
    Violation(
        name="closes behind content without saying so",
        probe="unread_body",
        script=serves(_closes_on_content),
        verdict=Verdict.WARNING,
        values={"get_step": "closed without saying so"},
    ),
    Violation(
        name="resets where it leaves content unread",
        probe="unread_body",
        script=serves(_resets_on_content),
        verdict=Verdict.WARNING,
    ),
    Violation(
        name="resets behind its refusal",
        probe="oversized_body",
        script=serves(_resets_on_content),
        verdict=Verdict.WARNING,
        values={"status": 413, "ended": "reset"},
    ),
    Violation(
        name="resets instead of refusing",
        probe="oversized_body",
        script=serves(_resets_without_answer),
        verdict=Verdict.WARNING,
        values={"status": 0, "ended": "reset"},
    ),
    Violation(
        name="takes an empty line for a request",
        probe="bytes_behind",
        script=serves(skips_empty_lines=False),
        verdict=Verdict.NOTE,
        values={"empty_line": "taken for a request"},
    ),
    Violation(
        name="throws away what is no request",
        probe="bytes_behind",
        script=serves(_throws_away),
        verdict=Verdict.WARNING,
        values={"garbage": "ignored"},
        plan=_SHORT,
    ),
)
