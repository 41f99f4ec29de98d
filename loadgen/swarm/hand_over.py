"""The end of a run on its workers: each hands its samples over, or is given up after some silence. Keeps no sample."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from gevent.event import Event

# A worker that is away while samples are handed over may be about to come back.
_MAX_ABSENCE_S = 6
# A worker that is there, but silent for this long, hangs.
_MAX_SILENCE_S = 300


class HandOver:
    """present: the workers that are there now. is_lost: this worker takes part no longer."""

    def __init__(
        self,
        present: Callable[[], Collection[str]],
        is_lost: Callable[[str], bool],
        clock: Callable[[], float],
        poll_s: float,
    ) -> None:
        self._present = present
        self._is_lost = is_lost
        self._clock = clock
        self._poll_s = poll_s
        self._heard_s: dict[str, float] = {}
        """When a worker last sent something, by the clock."""
        self._done: set[str] = set()
        """Workers that have handed over everything."""
        self._wake = Event()

    def heard(self, worker: str) -> None:
        """A worker has sent something."""
        self._heard_s[worker] = self._clock()

    def done(self, worker: str) -> None:
        """A worker has handed over all it had."""
        self._done.add(worker)
        self._wake.set()

    def wait(self, asked: Mapping[str, float | None], give_up: Callable[[str], None]) -> None:
        """Wait until each worker that was asked is done or lost.

        asked: since when a worker is away, by the clock; None of one that was there. give_up: called with each worker
        that is silent for too long, and makes it a lost one.
        """
        for worker, since_s in asked.items():
            self._heard_s[worker] = self._clock() if since_s is None else since_s
        waiting = list(asked)
        while waiting := [one for one in waiting if one not in self._done and not self._is_lost(one)]:
            self._wake.clear()
            self._wake.wait(self._poll_s)
            now_s, present = self._clock(), self._present()
            for worker in waiting:
                limit_s = _MAX_SILENCE_S if worker in present else _MAX_ABSENCE_S
                if worker not in self._done and now_s - self._heard_s[worker] > limit_s:
                    give_up(worker)
