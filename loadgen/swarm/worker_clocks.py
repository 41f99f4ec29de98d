"""How the workers' clocks differ from this process's, by the round trips of messages. Orders no block.

A worker answers a question with its clock's time. It read the clock at some moment of the round trip, so the middle of
the round trip is wrong by half of it at most (F. Cristian, "Probabilistic clock synchronization", Distributed
Computing 3, 1989). The shortest of several round trips says it best; NTP does the same (RFC 5905 §10).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import loadgen.swarm.messages as messages
from loadgen.swarm.machine_clock import clock_id

SendToWorker = Callable[[str, dict[str, Any], str], None]
"""Called with a message's kind, its content, and the worker."""

_KEPT = 16
_FIRST_QUESTIONS = 5
"""Asked of a new worker one after the other."""
_MAX_DRIFT = 100e-6
"""By how much two clocks of machines may go apart, as a share of the time: crystals differ by less."""
_MAX_ROUND_TRIP_NS = 60_000_000_000


class ClockAlignment(NamedTuple):
    """How a worker's clock is related to this process's."""

    offset_ns: int
    """What to add to the worker's time."""
    error_ns: int
    """By how much that may be wrong, in either direction; 0 where both read the same clock."""


class _Answer(NamedTuple):
    offset_ns: int
    error_ns: int
    at_ns: int


class WorkerClocks:
    """send: sends a worker a message. clock_ns: this process's monotonic clock. own_id: what identifies that."""

    def __init__(
        self,
        send: SendToWorker,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        own_id: str | None = None,
    ) -> None:
        self._send = send
        self._clock_ns = clock_ns
        self._own_id = own_id or clock_id()
        self._same: set[str] = set()
        """Workers that read this process's own clock."""
        self._answers: dict[str, deque[_Answer]] = {}

    def ask(self, worker: str) -> None:
        """Ask a worker for its time, unless it has the same clock."""
        if worker not in self._same:
            self._send(messages.CLOCK_QUESTION, {"asked_ns": self._clock_ns()}, worker)

    def take_answer(self, worker: str, data: dict[str, Any]) -> None:
        """A worker has told its time; `asked_ns` is that of the question."""
        now_ns = self._clock_ns()
        if self._own_id is not None and data["clock_id"] == self._own_id:
            self._same.add(worker)
            return
        round_trip_ns = now_ns - data["asked_ns"]
        if not 0 <= round_trip_ns <= _MAX_ROUND_TRIP_NS:
            return
        answers = self._answers.setdefault(worker, deque(maxlen=_KEPT))
        middle_ns = data["asked_ns"] + round_trip_ns // 2
        answers.append(_Answer(middle_ns - data["clock_ns"], (round_trip_ns + 1) // 2, now_ns))
        if len(answers) < _FIRST_QUESTIONS:
            self.ask(worker)

    def alignment(self, worker: str) -> ClockAlignment | None:
        """How its clock is related to this one now; None before its first answer."""
        if worker in self._same:
            return ClockAlignment(0, 0)
        now_ns = self._clock_ns()
        found = [
            ClockAlignment(one.offset_ns, one.error_ns + round(_MAX_DRIFT * (now_ns - one.at_ns)))
            for one in self._answers.get(worker, ())
        ]
        return min(found, key=lambda one: one.error_ns, default=None)
