"""Numbers for users that come and go: the lowest one that is free. Knows no user."""

from __future__ import annotations

from heapq import heappop, heappush


class ReusableNumbers:
    """Begins with 0."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 0

    def take(self) -> int:
        if self._free:
            return heappop(self._free)
        self._next += 1
        return self._next - 1

    def give_back(self, number: int) -> None:
        """It may be taken again."""
        heappush(self._free, number)
