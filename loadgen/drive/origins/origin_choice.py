"""Which of several origins a user's next request goes to. Knows no request and no connection."""

from __future__ import annotations

from bisect import bisect_right

from loadgen.model.request_choice import point


class OriginChoice:
    """For one user, or for all arrivals: from how many requests it has sent, so that every policy sends the same mix.

    edges: `upper_edges` of the origins' weights.
    """

    __slots__ = ("_edges", "_sent", "_user")

    def __init__(self, edges: list[int], user: int) -> None:
        self._edges = edges
        self._user = user
        self._sent = 0

    def next(self) -> int:
        """The place of the next request's origin."""
        found = bisect_right(self._edges, point(self._user, self._sent))
        self._sent += 1
        return found
