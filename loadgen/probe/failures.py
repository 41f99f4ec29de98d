"""What can go wrong on a probe's connection, as exceptions whose text is for people. Knows no probe."""

from __future__ import annotations

from enum import StrEnum

from loadgen.model.errors import ErrorKind
from loadgen.model.units import count
from loadgen.wire.errors import RESETS, Failure


class Loss(StrEnum):
    """How a connection, or the wait for a response on it, ended without the response."""

    FIN = "closed"
    RESET = "reset"
    TIMEOUT = "no answer within the time allowed"
    MALFORMED = "malformed"
    TOO_LONG = "longer than what is read"


class ProbeFailure(Exception):
    """A probe can't go on. Its text is for people; a probe that does not catch it has the verdict `unknown`."""


class OpenFailure(ProbeFailure):
    """A connection could not be opened. stage: `resolve`, `connect`, `tunnel` or `tls`; cause: what was raised."""

    def __init__(self, stage: str, cause: Exception) -> None:
        super().__init__(f"{stage}: {text_of(cause)}")
        self.stage = stage
        self.cause = cause

    @property
    def advice(self) -> str:
        """What to do about it, as the end of a sentence; empty where there is no advice."""
        kind = self.cause.kind if isinstance(self.cause, Failure) else None
        return f"; {kind.advice}" if kind is not None and kind.advice else ""


class NoResponse(ProbeFailure):
    """No complete response came.

    how: what came instead. received: the bytes of a response that had come before. at_ns: when that was known.
    """

    def __init__(self, how: Loss, received: bytes, at_ns: int, detail: str = "") -> None:
        after = f" after {count(len(received), 'byte')}" if received else ""
        super().__init__(detail or f"{_TEXTS[how]}{after}")
        self.how = how
        self.received = received
        self.at_ns = at_ns


class OverBudget(ProbeFailure):
    """A probe would need more requests or connections than it said beforehand."""


_TEXTS = {
    Loss.FIN: "the server closed the connection instead of answering",
    Loss.RESET: "the server reset the connection instead of answering",
    Loss.TIMEOUT: "no answer within the time allowed",
    Loss.MALFORMED: "the answer is not HTTP",
    Loss.TOO_LONG: "the response is too long",
}


def is_reset(error: Exception) -> bool:
    """The peer reset the connection, or had closed it when we wrote."""
    return isinstance(error, OSError) and error.errno in RESETS


def is_turned_away(error: OpenFailure) -> bool:
    """The server was reached, and gave no TLS handshake: it refused ours, ended it, or stayed silent.

    A certificate that is not trusted is no such case: there it was this side that refused.
    """
    cause = error.cause
    return error.stage == "tls" and (
        not isinstance(cause, Failure) or (cause.by_peer or cause.kind is ErrorKind.TLS_FAILED)
    )


def text_of(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, TimeoutError) and not error.strerror:
        return "no answer within the time allowed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, Failure):
        return str(error)
    return str(error) or type(error).__name__
