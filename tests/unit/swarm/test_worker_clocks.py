"""How a worker's clock is related to the master's, by round trips of known delays."""

from __future__ import annotations

import random
from typing import Any

import loadgen.swarm.messages as messages
from loadgen.swarm.worker_clocks import ClockAlignment, WorkerClocks

MS = 1_000_000
S = 1_000 * MS
FAR_NS = 5_000 * S
"""How much later the worker's clock shows."""


class Rig:
    """A worker whose messages take as long as `delays` say, there and back."""

    def __init__(self, *delays: tuple[int, int], clock_id: str = "other") -> None:
        self.now_ns = 1_000 * S
        self.asked = 0
        self.clocks = WorkerClocks(self._send, lambda: self.now_ns, "own")
        self._delays = list(delays)
        self._clock_id = clock_id

    def _send(self, kind: str, data: dict[str, Any], worker: str) -> None:
        assert (kind, worker) == (messages.CLOCK_QUESTION, "a")
        self.asked += 1
        if not self._delays:
            return
        there_ns, back_ns = self._delays.pop(0)
        clock_ns = self.now_ns + there_ns + FAR_NS
        self.now_ns += there_ns + back_ns
        answer = {"asked_ns": data["asked_ns"], "clock_ns": clock_ns, "clock_id": self._clock_id}
        self.clocks.take_answer("a", answer)


def test_the_shortest_round_trip_says_it_best_and_bounds_the_error() -> None:
    rig = Rig((9 * MS, 1 * MS), (2 * MS, 1 * MS), (1 * MS, 30 * MS))
    assert rig.clocks.alignment("a") is None
    rig.clocks.ask("a")
    found = rig.clocks.alignment("a")
    assert found is not None
    assert abs(found.offset_ns + FAR_NS) == MS // 2  # 2 ms there, 1 ms back
    drift_ns = round(31 * MS * 100e-6)
    assert found.error_ns == 3 * MS // 2 + drift_ns


def test_the_true_offset_is_always_within_the_error() -> None:
    for seed in range(200):
        delays = random.Random(seed)
        rig = Rig(*((delays.randrange(10 * MS), delays.randrange(10 * MS)) for _ in range(5)))
        rig.clocks.ask("a")
        found = rig.clocks.alignment("a")
        assert found is not None
        assert abs(found.offset_ns + FAR_NS) <= found.error_ns < 10.1 * MS


def test_a_new_worker_is_asked_five_times_and_an_old_answer_gets_less_certain() -> None:
    rig = Rig(*[(MS, MS)] * 9)
    rig.clocks.ask("a")
    assert rig.asked == 5
    before = rig.clocks.alignment("a")
    rig.now_ns += 100 * S
    after = rig.clocks.alignment("a")
    assert before is not None
    assert after is not None
    assert after.error_ns - before.error_ns == 10 * MS
    rig.clocks.ask("a")
    again = rig.clocks.alignment("a")
    assert again is not None
    assert (rig.asked, again.error_ns) == (6, MS)


def test_a_worker_with_the_same_clock_has_no_error_and_is_asked_once() -> None:
    rig = Rig((9 * MS, 1 * MS), clock_id="own")
    rig.clocks.ask("a")
    rig.clocks.ask("a")
    assert (rig.clocks.alignment("a"), rig.asked) == (ClockAlignment(0, 0), 1)


def test_an_answer_from_the_future_is_not_used() -> None:
    rig = Rig()
    rig.clocks.take_answer("a", {"asked_ns": rig.now_ns + 1, "clock_ns": 0, "clock_id": None})
    rig.clocks.take_answer("a", {"asked_ns": 0, "clock_ns": 0, "clock_id": None})
    assert rig.clocks.alignment("a") is None
