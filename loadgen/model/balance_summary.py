"""The types of how one policy's connections and requests were spread over addresses and backends. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class AddressShare(TypedDict):
    """What went to one address, warm-up included."""

    address: str
    """Address and port, or socket file."""
    connections: int
    """Connections opened."""
    requests: int
    """Responses that came from it."""
    failed: int
    """Requests to it that failed."""


class BackendShare(TypedDict):
    """What one backend answered, warm-up included."""

    backend: str
    """What the field of --backend-header says; empty where responses have no such field."""
    requests: int
    """Responses."""


class EvennessSummary(TypedDict):
    """Jain's index of fairness: 1 where all have the same, 1/n where one of n has all; null where there are no two."""

    connections: float | None
    """Of the addresses' connections."""
    requests: float | None
    """Of the addresses' requests."""
    backends: float | None
    """Of the backends' requests."""


class BalanceInterval(TypedDict):
    """One interval of one block. The lists are in the order of `addresses` and `backends`."""

    round: int
    """Number of the round."""
    at_ns: int
    """When the interval began, since the block did (ns)."""
    connections: list[int]
    """Connections opened to each address."""
    requests: list[int]
    """Responses from each address."""
    failed: list[int]
    """Requests to each address that failed."""
    backends: list[int]
    """Responses by each backend."""


class BalanceSummary(TypedDict):
    """Connections and requests by address and backend, warm-up included, as the servers' logs have them."""

    addresses: list[AddressShare]
    """Each address that the name had, or that connections went to."""
    backends: list[BackendShare]
    """Each backend; empty without --backend-header."""
    evenness: EvennessSummary
    """How evenly they are spread."""
    interval_ns: int
    """Length of an interval (ns)."""
    intervals: list[BalanceInterval]
    """Over time."""
