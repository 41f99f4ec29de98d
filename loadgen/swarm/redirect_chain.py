"""The exchanges of one call that follows redirects: what was sent last, what came, what has to be sent next.

Sends nothing.
"""

from __future__ import annotations

from loadgen.drive.requests.call_result import CallResult
from loadgen.swarm.redirects import STATUSES, UnusableRedirect, redirected
from loadgen.swarm.request_failures import BadRedirect
from loadgen.swarm.scenario_request import ScenarioRequest


class RedirectChain:
    """sent, result: the last exchange so far. failure: why it ended before its end, if it did."""

    def __init__(self, sent: ScenarioRequest, result: CallResult) -> None:
        self.sent = sent
        self.result = result
        self.latency_ns = result.latency_ns
        """Of all exchanges together."""
        self.failure: BadRedirect | None = None
        self.followed = 0
        """How many redirects were followed."""

    def next_request(self, max_redirects: int) -> ScenarioRequest | None:
        """What the last response asks for; None where it is no redirect, or not one that is followed."""
        location = _location(self.result)
        if location is None or self.result.outcome not in STATUSES:
            return None
        if self.followed >= max_redirects:
            self.failure = BadRedirect("too_many_redirects")
            return None
        try:
            return redirected(self.sent, self.result.outcome, location)
        except UnusableRedirect:
            self.failure = BadRedirect("unusable_redirect")
            return None

    def add(self, sent: ScenarioRequest, result: CallResult) -> None:
        """The next exchange."""
        self.sent = sent
        self.result = result
        self.latency_ns += result.latency_ns
        self.followed += 1


def _location(result: CallResult) -> str | None:
    head = result.head
    found = () if head is None else head.headers
    return next((value.decode("latin-1") for name, value in found if name.lower() == b"location"), None)
