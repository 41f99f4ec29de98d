"""The origins that a run's requests go to (RFC 9110 §4.3.1), as targets. Opens nothing."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.planned_request import PlannedRequest
from loadgen.model.target import Target, parse_target


def origins_of(target: Target, requests: Sequence[PlannedRequest]) -> tuple[Target, ...]:
    """Each origin once, in the order of the requests; the target alone where there are no requests.

    target: the run's, which requests without an origin of their own go to.
    """
    named = {one.origin or target.base_url: None for one in requests} or {target.base_url: None}
    return tuple(target if name == target.base_url else parse_target(f"{name}/") for name in named)


def requests_to(origin: Target, target: Target, requests: Sequence[PlannedRequest]) -> tuple[PlannedRequest, ...]:
    """Those of the requests that go to this origin. target: the run's."""
    return tuple(one for one in requests if (one.origin or target.base_url) == origin.base_url)
