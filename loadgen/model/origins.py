"""The origins that a run's requests go to (RFC 9110 §4.3.1), as targets. Opens nothing."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.planned_request import PlannedRequest
from loadgen.model.target import Target, parse_target


def origins_of(target: Target, requests: Sequence[PlannedRequest]) -> tuple[Target, ...]:
    """Each origin once: the target's, if a request goes there, then those of the requests, in their order.

    target: the run's, which requests without an origin of their own go to; it is alone where there are no requests.
    """
    named = dict.fromkeys(_base_url(one, target) for one in requests) or {target.base_url: None}
    others = tuple(parse_target(f"{name}/") for name in named if name != target.base_url)
    return (target, *others) if target.base_url in named else others


def requests_to(origin: Target, target: Target, requests: Sequence[PlannedRequest]) -> tuple[PlannedRequest, ...]:
    """Those of the requests that go to this origin. target: the run's."""
    return tuple(one for one in requests if _base_url(one, target) == origin.base_url)


def places_of(target: Target, requests: Sequence[PlannedRequest]) -> list[int]:
    """For each request the place of its origin among `origins_of`."""
    places = {one.base_url: place for place, one in enumerate(origins_of(target, requests))}
    return [places[_base_url(one, target)] for one in requests]


def share_of_first(target: Target, requests: Sequence[PlannedRequest]) -> float:
    """The share of all requests that goes to the first of `origins_of`."""
    first = origins_of(target, requests)[0]
    weights = sum(one.weight for one in requests)
    return sum(one.weight for one in requests_to(first, target, requests)) / weights if weights else 1.0


def _base_url(request: PlannedRequest, target: Target) -> str:
    return request.origin or target.base_url
