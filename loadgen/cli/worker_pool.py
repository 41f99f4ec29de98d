"""The worker processes of a run, seen from their parent: started, kept in step, listened to, and ended together."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadgen import COMMAND
from loadgen.cli import WORKER
from loadgen.cli.signals import handled

Event = dict[str, Any]
_ENDS = ("plan", "target", "disk_full", "interrupted", "done", "died")
"""The ways in which a worker can end. A run of several workers has ended in the first of these that any of them has."""


def run_workers(
    jobs: list[tuple[Path, dict[str, Any]]],
    lock: int | None,
    on_event: Callable[[int, Event], None],
    goes_on: Callable[[int], bool] = lambda _block: True,
) -> list[Event]:
    """Run each job in a worker of its own; returns the last event of each.

    A signal (Ctrl-C, SIGTERM, SIGHUP, SIGQUIT) ends the run, a second one ends it at once. The last events then name
    the first one, as {"signal": number}.

    A job is a folder and an order:

        plan              as JSON
        skip              indices of the blocks that are done
        first_connection  the lowest number that no connection has had
        waits             begin each block when all other workers do
        watches           read what kernel and server count

    `on_event` gets the job's number and each event of its worker. `goes_on` is asked before each block, with its index
    and while no worker makes load, whether the run needs it; where it does not, the workers end as after the last one.
    The workers hold the run's lock too, so that the folder is free only after the last row is written.

    The end of its standard input tells a worker to end: it can't miss that, however early it comes. After an
    interruption the signals stay ignored: the rest of the work is short, and saves what was measured. A worker that
    died without an event gives {"end": "died"}; the others go on. If one ends early in any other way, all end.
    """
    pool = _WorkerPool(lock, on_event, goes_on)
    with handled(pool.on_signal, lambda: pool.interruptions > 0):
        try:
            for directory, job in jobs:
                pool.start(directory, job)
            return pool.run()
        finally:
            pool.close()


def end_of(ends: list[Event]) -> Event:
    """How a run has ended whose workers have ended like this."""
    return min(ends, key=lambda event: _ENDS.index(event["end"]))


class _Worker:
    """One worker process."""

    def __init__(self, directory: Path, lock: int | None) -> None:
        # A session of its own: Ctrl-C at the terminal reaches the parent alone, which passes it on once.
        self.process = subprocess.Popen(
            [*COMMAND, WORKER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin = self.process.stdin
        self.stdout = self.process.stdout.fileno()
        self.last_event: Event = {}
        self.ready: int | None = None
        """The block that it waits to begin."""
        self._partial_line = b""

    def send(self, order: dict[str, Any]) -> None:
        # Past the stream's own buffer, which a signal handler could not close in the middle of a write.
        rest = memoryview(json.dumps(order).encode() + b"\n")
        with suppress(OSError, ValueError):  # it died, or its input is closed; the end of its output will say so
            while rest:
                rest = rest[os.write(self._stdin.fileno(), rest) :]

    def close_stdin(self) -> None:
        """Tell it to end."""
        with suppress(OSError):
            self._stdin.close()

    def read_events(self) -> Iterator[Event] | None:
        """The events since the last call; None after the last one."""
        data = os.read(self.stdout, 1 << 16)
        if not data:
            return None
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        return map(json.loads, lines)


class _WorkerPool:
    """All workers of a run."""

    def __init__(
        self, lock: int | None, on_event: Callable[[int, Event], None], goes_on: Callable[[int], bool]
    ) -> None:
        self.interruptions = 0
        self.signal: int | None = None
        """The first signal that came."""
        self._lock = lock
        self._on_event = on_event
        self._goes_on = goes_on
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        """Has the output of each worker that still runs, with the worker's number."""

    def start(self, directory: Path, job: dict[str, Any]) -> None:
        worker = _Worker(directory, self._lock)
        self._workers.append(worker)
        self._selector.register(worker.stdout, selectors.EVENT_READ, len(self._workers) - 1)
        worker.send(job)
        if self.interruptions:
            worker.close_stdin()

    def run(self) -> list[Event]:
        """Listen until the last worker has ended."""
        while self._selector.get_map():
            for key, _ in self._selector.select():
                self._read(key.data)
            self._release_block()
        signals = {"signal": self.signal} if self.signal is not None else {}
        return [worker.last_event | signals for worker in self._workers]

    def on_signal(self, number: int, _frame: object) -> None:
        """The first signal asks the workers to end, the second kills them."""
        self.interruptions += 1
        self.signal = number if self.signal is None else self.signal
        for worker in self._workers:
            if self.interruptions == 1:
                worker.close_stdin()
            else:
                worker.process.kill()

    def close(self) -> None:
        """Leave no process behind, whatever has happened."""
        self._selector.close()
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.kill()
            with suppress(OSError):
                worker.process.__exit__(None, None, None)

    def _read(self, number: int) -> None:
        worker = self._workers[number]
        events = worker.read_events()
        if events is None:
            self._end(number, worker)
            return
        for event in events:
            worker.last_event = event
            worker.ready = event.get("ready", worker.ready)
            self._on_event(number, event)

    def _end(self, number: int, worker: _Worker) -> None:
        """A worker has closed its output."""
        self._selector.unregister(worker.stdout)
        worker.close_stdin()
        worker.process.wait()
        if "end" not in worker.last_event:
            worker.last_event = {"end": "interrupted" if self.interruptions else "died"}
            self._on_event(number, worker.last_event)
        if worker.last_event["end"] not in ("done", "died"):
            for other in self._workers:
                other.close_stdin()

    def _release_block(self) -> None:
        """Let the workers begin the next block, or end, once all of them are ready for it."""
        running = [self._workers[key.data] for key in self._selector.get_map().values()]
        ready = [worker.ready for worker in running if worker.ready is not None]
        if not running or len(ready) < len(running):
            return
        goes_on = self._goes_on(ready[0])
        for worker in running:
            worker.send({"go": worker.ready} if goes_on else {"stop": True})
            worker.ready = None
