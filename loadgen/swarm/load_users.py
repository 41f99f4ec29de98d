"""How many users really made load in each block, beside the number that Locust was to start. Pure; counts nobody.

Locust starts users and then counts those that live. A user that is still in its `on_start`, that ended by itself, or
that lies on a worker which has not begun yet makes no load; and a user class of another kind is none of a run's.
"""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.swarm.run_notes import Note, users_changed, users_missing


class LoadUsers:
    """Of one run. Rounds count from 0."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], None] = {}
        """Each number of users that a class had, in order."""
        self._changed_in = 0
        """The last round in which some class had another number of them than before."""
        self._last: dict[str, int] = {}
        self._fewest: tuple[int, int] | None = None
        """The fewest users of a block that had too few, and how many there were to be."""
        self._first_short = 0
        """The first round that had too few."""

    def take(self, round_number: int, expected: int, users: Mapping[str, int]) -> None:
        """A block is over.

        expected: how many users there were to be, of all classes. users: how many of each class made load in it.
        """
        present = sum(users.values())
        if present:
            self._take_present(round_number, dict(users))
        if present < expected:
            if self._fewest is None:
                self._first_short = round_number
            if self._fewest is None or present - expected < self._fewest[0] - self._fewest[1]:
                self._fewest = present, expected

    def _take_present(self, round_number: int, users: dict[str, int]) -> None:
        if self._last and users != self._last:
            self._changed_in = round_number
        self._last = users
        self._found.update(dict.fromkeys(users.items()))

    def notes(self) -> list[Note]:
        """Warnings about it, as far as the run has come."""
        numbers: dict[str, list[int]] = {}
        for name, number in self._found:
            numbers.setdefault(name, []).append(number)
        notes = users_changed(numbers, self._changed_in + 1)
        if self._fewest is not None:
            notes += users_missing(*self._fewest, self._first_short + 1)
        return notes
