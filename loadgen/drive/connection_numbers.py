"""The numbers of a run's connections. Opens none."""

from __future__ import annotations


class ConnectionNumbers:
    """Each connection has a number of its own. All that make connections of one run in one process share this."""

    __slots__ = ("next",)

    def __init__(self, following: int = 0) -> None:
        self.next = following
        """What the next connection gets: one above the highest number so far."""

    def take(self) -> int:
        """A number for one more connection."""
        number = self.next
        self.next = number + 1
        return number
