"""When workers are told to begin: one time, by each worker's own clock, as far ahead as they need."""

from __future__ import annotations

from typing import Any

import loadgen.swarm.messages as messages
from loadgen.swarm.start_times import StartTimes
from loadgen.swarm.worker_clocks import WorkerClocks

MS = 1_000_000
BLOCK = {"run": "r", "round": 1, "turn": 0}


class Rig:
    def __init__(self) -> None:
        self.now_ns = 10**12
        self.sent: dict[str, dict[str, Any]] = {}
        clocks = WorkerClocks(lambda *_: None, lambda: self.now_ns, "own")
        clocks.take_answer("near", {"asked_ns": self.now_ns, "clock_ns": self.now_ns, "clock_id": "own"})
        clocks.take_answer("far", {"asked_ns": self.now_ns - 4 * MS, "clock_ns": 7_000, "clock_id": "other"})
        self.start_times = StartTimes(self._send, clocks, lambda: self.now_ns)

    def _send(self, kind: str, data: dict[str, Any], worker: str) -> None:
        assert kind == messages.START_BLOCK
        self.sent[worker] = data

    def lead_ms(self) -> float:
        self.start_times.start(["near"], BLOCK)
        lead_ns: int = self.sent["near"]["start_ns"] - self.now_ns
        return lead_ns / MS


def test_each_worker_gets_the_time_by_its_own_clock() -> None:
    rig = Rig()
    rig.start_times.start(["near", "far", "unknown"], BLOCK)
    near, far = rig.sent["near"], rig.sent["far"]
    assert near == {**BLOCK, "start_ns": near["start_ns"], "clock": {"offset_ns": 0, "error_ns": 0}}
    assert far["clock"] == {"offset_ns": rig.now_ns - 2 * MS - 7_000, "error_ns": 2 * MS}
    assert far["start_ns"] + far["clock"]["offset_ns"] == near["start_ns"] > rig.now_ns
    assert (rig.sent["unknown"]["start_ns"], rig.sent["unknown"]["clock"]) == (0, None)  # at once


def test_the_lead_follows_how_late_the_last_worker_was() -> None:
    rig = Rig()
    first = rig.lead_ms()
    for late_ms in (3, 40, 5):
        rig.start_times.began(late_ms * MS)
    assert rig.lead_ms() == first + 1.5 * 40
    rig.start_times.began(10**12)
    assert rig.lead_ms() == 1_000
    for _ in range(100):
        rig.start_times.began(1 * MS)
        last = rig.lead_ms()
    assert last == 10
