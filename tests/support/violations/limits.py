"""Servers that end a connection after a number of requests, or at an age, and do not say so."""

from __future__ import annotations

import socket
import time

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from tests.support.processes import BYE, HELLO, Script, read_request
from tests.support.violations.persistence import falls_silent, serves
from tests.support.violations.violation import Violation


def ends_after(requests: int, *, last: bytes = HELLO) -> Script:
    """Answers that many requests, the last one with `last`, and closes."""

    return serves(*[HELLO] * (requests - 1), last)


def ends_at_age(age_s: float, *, says_so: bool, last: bytes = BYE) -> Script:
    """Closes at that age: between two requests, or with the announcement, `last`, in the first response after it."""

    def script(connection: socket.socket, _number: int) -> None:
        end_s = time.monotonic() + age_s
        while True:
            if not says_so:
                connection.settimeout(max(0.001, end_s - time.monotonic()))
            if not read_request(connection):
                return
            is_last = says_so and time.monotonic() >= end_s
            connection.sendall(last if is_last else HELLO)
            if is_last:
                return

    return script


LIMITS = (
    Violation(
        name="reads on after 7 responses and answers no more",
        probe="max_requests",
        script=falls_silent(*[HELLO] * 7),
        verdict=Verdict.WARNING,
        values={"closed_after": 7, "announced": False},
        plan={"timeout_ns": 100 * NS_PER_MS},
    ),
    Violation(
        name="closes after 40 responses without saying so",
        probe="max_requests",
        script=ends_after(40),
        verdict=Verdict.WARNING,
        values={"closed_after": 40, "connections": 3, "announced": False, "lost": 3},
    ),
    Violation(
        name="closes at an age of half a second without saying so",
        probe="max_lifetime",
        script=ends_at_age(0.5, says_so=False),
        verdict=Verdict.WARNING,
        values={"announced": False},
    ),
)
