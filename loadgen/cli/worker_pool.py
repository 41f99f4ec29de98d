"""The worker processes of a run, seen from their parent: started, kept in step, heard, and ended together."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadgen.cli.children import start

Event = dict[str, Any]
_ENDS = ("plan", "target", "disk_full", "interrupted", "done", "died")
"""How a worker can end. What one comes to earlier in this list is how a run of several has ended."""


def run_workers(
    jobs: list[tuple[Path, dict[str, Any]]], lock: int | None, on_event: Callable[[int, Event], None]
) -> list[Event]:
    """Let each job have its worker; returns the last event of each. Ctrl-C or SIGTERM ends the run, a second at once.

    A job is a folder and {"plan", "skip": indices of blocks that are done, "first_connection": the first number that is
    free, "waits": it begins each block when all others do, "watches": it reads what kernel and server count}.
    `on_event` is called with the job's number and what its worker says. The workers hold the run's lock too, so that
    nobody has the folder before the last row is written.

    A worker is told by the end of its standard input, which it can't miss however early it comes. After an interruption
    both signals stay ignored: what is left to do is short, and saves what was measured. A worker that died without a
    word gives {"end": "died"}; the others go on. Whatever else ends one of them before its time ends all.
    """
    team = _WorkerPool(lock, on_event)
    before = {number: signal.signal(number, team.signalled) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for directory, job in jobs:
            team.hire(directory, job)
        return team.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if team.interruptions else handler)
        team.close()


def end_of(ends: list[Event]) -> Event:
    """How a run has ended whose workers have ended like this."""
    return min(ends, key=lambda event: _ENDS.index(event["end"]))


class _Worker:
    """One of them. ready: the block that it waits to begin."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.orders = process.stdin
        self.events = process.stdout.fileno()
        self.last: Event = {}
        self.ready: int | None = None
        self._begun = b""

    def tell(self, order: dict[str, Any]) -> None:
        # Past the stream's own buffer, which a signal's handler could not close in the middle of a write.
        left = memoryview(json.dumps(order).encode() + b"\n")
        with suppress(OSError, ValueError):  # it died, or was told to end; so the end of its output will say
            while left:
                left = left[os.write(self.orders.fileno(), left) :]

    def dismiss(self) -> None:
        """Let it come to its end."""
        with suppress(OSError):
            self.orders.close()

    def heard(self) -> Iterator[Event] | None:
        """What it has said since; None where it will say no more."""
        text = os.read(self.events, 1 << 16)
        if not text:
            return None
        *lines, self._begun = (self._begun + text).split(b"\n")
        return map(json.loads, lines)


class _WorkerPool:
    """All of them."""

    def __init__(self, lock: int | None, on_event: Callable[[int, Event], None]) -> None:
        self.interruptions = 0
        self._lock = lock
        self._on_event = on_event
        self._all: list[_Worker] = []
        self._present = selectors.DefaultSelector()

    def hire(self, directory: Path, job: dict[str, Any]) -> None:
        worker = _Worker(start(["_worker", str(directory)], self._lock))
        self._all.append(worker)
        self._present.register(worker.events, selectors.EVENT_READ, len(self._all) - 1)
        worker.tell(job)
        if self.interruptions:
            worker.dismiss()

    def run(self) -> list[Event]:
        """Hear them all until the last is gone."""
        while self._present.get_map():
            for key, _ in self._present.select():
                self._hear(key.data)
            self._release()
        return [worker.last for worker in self._all]

    def signalled(self, _number: int, _frame: object) -> None:
        """The first signal asks them to end, the second ends them."""
        self.interruptions += 1
        for worker in self._all:
            if self.interruptions == 1:
                worker.dismiss()
            else:
                worker.process.kill()

    def close(self) -> None:
        """Nothing of them is left, whatever happened."""
        self._present.close()
        for worker in self._all:
            if worker.process.poll() is None:
                worker.process.kill()
            with suppress(OSError):
                worker.process.__exit__(None, None, None)

    def _hear(self, number: int) -> None:
        worker = self._all[number]
        found = worker.heard()
        if found is None:
            self._gone(number, worker)
            return
        for event in found:
            worker.last = event
            worker.ready = event.get("ready", worker.ready)
            self._on_event(number, event)

    def _gone(self, number: int, worker: _Worker) -> None:
        self._present.unregister(worker.events)
        worker.dismiss()
        worker.process.wait()
        if "end" not in worker.last:
            worker.last = {"end": "interrupted" if self.interruptions else "died"}
            self._on_event(number, worker.last)
        if worker.last["end"] not in ("done", "died"):
            for other in self._all:
                other.dismiss()

    def _release(self) -> None:
        """Those who are left may begin the next block if all of them are ready for it."""
        left = [self._all[key.data] for key in self._present.get_map().values()]
        if left and all(worker.ready is not None for worker in left):
            for worker in left:
                worker.tell({"go": worker.ready})
                worker.ready = None
