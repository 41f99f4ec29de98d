"""Workers that went away in the middle of a block: since when, and whether they came back. Pure; waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Absence:
    """One worker's; rounds count from 0."""

    worker: str
    first_round: int
    """The round in which it went away."""
    since_s: float
    """When, by the coordinating process's clock."""
    back_in: int | None = None
    """The first round in which it took part again; None while it is away."""


class Absences:
    """All of one run, in the order in which they began."""

    def __init__(self) -> None:
        self.all: list[Absence] = []

    @property
    def now(self) -> dict[str, Absence]:
        """Those that have not ended, by worker."""
        return {one.worker: one for one in self.all if one.back_in is None}

    def begin(self, worker: str, round_number: int, now_s: float) -> None:
        """This worker does not answer in this round."""
        if worker not in self.now:
            self.all.append(Absence(worker, round_number, now_s))

    def end(self, workers: Iterable[str], round_number: int) -> bool:
        """These workers take part in this round; whether one of them was away."""
        away, returned = self.now, False
        for worker in workers:
            if worker in away:
                away[worker].back_in, returned = round_number, True
        return returned
