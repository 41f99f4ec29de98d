"""Counts of requests whose bodies waited for 100 Continue, by what came (RFC 9110 §10.1.1). Sends nothing."""

from __future__ import annotations

from typing import TypedDict


class ContinueFacts(TypedDict):
    """Requests with `Expect: 100-continue`, warm-up included; those that failed meanwhile are in `asked` alone."""

    asked: int
    """Requests whose head was sent, so that the body waited."""
    received: int
    """100 Continue came, and the body was sent."""
    timed_out: int
    """Nothing came in time, and the body was sent all the same."""
    refused: int
    """The response came in place of 100 Continue, and the body was not sent."""


class ContinueCounts:
    """The counts of one block."""

    __slots__ = ("asked", "received", "refused", "timed_out")

    def __init__(self) -> None:
        self.asked = self.received = self.timed_out = self.refused = 0

    def take(self) -> ContinueFacts:
        """The counts since the last call."""
        found: ContinueFacts = {
            "asked": self.asked, "received": self.received, "timed_out": self.timed_out, "refused": self.refused,
        }  # fmt: skip
        self.asked = self.received = self.timed_out = self.refused = 0
        return found
