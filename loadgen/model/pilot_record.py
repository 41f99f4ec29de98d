"""The types of what a pilot tried and chose, as run.json and summary.json hold it. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class PilotFigures(TypedDict):
    """What one policy did in one trial of the pilot."""

    requests: int
    """Answered requests that were counted."""
    errors: int
    """Failed requests."""
    rate_rps: float
    """Answered requests per second."""
    latency_p50_ns: int | None
    """Median latency (ns); null where nothing was answered."""
    latency_mean_ns: int | None
    """Mean latency (ns); null where nothing was answered."""
    lag_p50_ns: int | None
    """Median of the generator's own lag in a request (ns), an upper bound; null where nothing was answered."""
    cpu_share: float
    """CPU time of the generator per wall time, 1 is a whole core."""
    cpu_ns_per_request: int | None
    """CPU time of the generator per request (ns); null where nothing was answered."""


class PilotTrial(TypedDict):
    """One load that the pilot tried, under one policy after the other."""

    users: int
    """Closed-loop users."""
    think_ns: int
    """Pause of a user between two requests (ns)."""
    rate_rps: float | None
    """Rate that this load offers at most (requests per second); null for one user without pauses."""
    policies: dict[str, PilotFigures]
    """What happened, by policy."""
    objection: str
    """Why this load is too high; empty where it is not."""


class PilotRecord(TypedDict):
    """What the pilot chose, why, and what it cost. Its requests are in no other figure of the run."""

    users: int
    """Closed-loop users of the run, of all workers together."""
    think_ns: int
    """Pause of a user between two requests in the run (ns)."""
    rate_rps: float
    """Rate that this load offers at most (requests per second)."""
    reason: str
    """Why this load, in words."""
    seconds: float
    """How long the pilot took, from the first request that was answered (s)."""
    requests: int
    """Requests that the pilot sent."""
    connections: int
    """Connections that it opened."""
    trials: list[PilotTrial]
    """The loads that it tried, in order."""
