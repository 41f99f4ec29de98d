"""The process that makes the load: a plan on standard input, rows to the run's folder, events on standard output.

It is a process of its own so that nothing but the load runs on its loop, and so that nothing is lost if it dies.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gevent
from gevent import signal_handler
from gevent.event import Event

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.drive.pilot.trial_runner import TrialRunner
from loadgen.drive.run_loop import RunLoop
from loadgen.drive.schedule import Block
from loadgen.measure.data.recorder import PART_ROWS, Recorder
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.startup import ENDING_SIGNALS, is_ignored
from loadgen.wire.route import Route
from loadgen.wire.transport import READ

# The disk is full, our share of it, or the longest file allowed; the file system turned read-only; no memory is left.
_ENDS = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS), "disk_full") | {errno.ENOMEM: "died"}


def work(directory: Path) -> Outcome:
    """Run the plan; the last event says how it ended."""
    order = json.loads(sys.stdin.readline())
    try:
        if order.get("pilot"):
            _send_event({"end": "done" if _run_pilot(order) else "interrupted"})
            return Outcome(EXIT_DONE)
        max_samples = Plan.from_json(order["plan"]).max_samples
        with closing(_recorder(directory, min(PART_ROWS, max_samples))) as recorder:
            is_complete = _run(order, recorder)
        if recorder.error is not None:
            raise recorder.error
        _send_event({"end": "done" if is_complete else "interrupted"})
    except PlanError as error:
        _send_event({"end": "plan", "message": str(error)})
    except TargetError as error:
        _send_event({"end": "target", "message": str(error)})
    except (OSError, MemoryError) as error:
        number = errno.ENOMEM if isinstance(error, MemoryError) else error.errno
        if number not in _ENDS:
            raise
        _send_event({"end": _ENDS[number]})
    return Outcome(EXIT_DONE)


def _run(order: dict[str, Any], recorder: Recorder) -> bool:
    """Run the plan; False where it was interrupted."""
    plan = Plan.from_json(order["plan"])
    with closing(_Gate()) as gate:
        run_loop = RunLoop(
            plan, Route.of, recorder, _send_event, frozenset(order["skip"]), order["first_connection"],
            gate if order.get("waits") else None, order.get("watches", True), order.get("answered", False),
        )  # fmt: skip

        def interrupt() -> None:
            gate.shut()
            run_loop.interrupt()

        recorder.on_full = interrupt
        _on_end(gate, interrupt)
        return run_loop.run() or gate.has_stopped


def _run_pilot(order: dict[str, Any]) -> bool:
    """Run trials and send what they found; False where the parent or a signal ended them early."""
    plan = Plan.from_json(order["plan"])
    with closing(_Gate()) as gate:
        trials = TrialRunner(plan, Route.of, _send_event)
        _on_end(gate, trials.interrupt)
        found = trials.run()
    if found is None:
        return False
    _send_event({"pilot": found})
    return True


def _on_end(gate: _Gate, interrupt: Callable[[], None]) -> None:
    """Call `interrupt` when the parent, or a signal, ends this process."""
    for number in ENDING_SIGNALS:
        if not is_ignored(number):
            signal_handler(number, interrupt)
    gate.watch(interrupt)


class _Gate:
    """Keeps this worker in step with the others, by what the parent writes on standard input.

    Called before each block it sends {"ready": index} and waits for a line {"go": index}, which the parent sends to all
    workers once all are ready, so that they run the same block at the same time. A line {"stop": true} says that no
    further block is needed: the run is complete. The parent keeps standard input open for as long as the run is to go
    on; its end is an interruption.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        # The loop holds a reference to this watcher; without it, it would have nothing to wait for at the gate.
        self._watcher = gevent.get_hub().loop.io(self._descriptor, READ)
        self._changed = Event()
        self._partial_line = b""
        self._next_block: int | None = None
        self._is_shut = False
        self.has_stopped = False
        """The parent needs no further block."""

    def __call__(self, block: Block) -> bool:
        """Wait until the block may begin; False where the run is over."""
        _send_event({"ready": block.index})
        while not self._is_shut and self._next_block != block.index:
            self._changed.clear()
            self._changed.wait()
        return not self._is_shut

    def watch(self, on_end: Callable[[], None]) -> None:
        """Call `on_end` when the parent closes its end, or has ended itself."""
        self._watcher.start(self._read, on_end)

    def shut(self) -> None:
        """Let no further block begin."""
        self._is_shut = True
        self._changed.set()

    def close(self) -> None:
        """Listen to the parent no more."""
        self._watcher.stop()

    def _read(self, on_end: Callable[[], None]) -> None:
        data = os.read(self._descriptor, 1 << 16)
        if not data:
            self.close()
            on_end()
            return
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        for order in map(json.loads, lines):
            if "stop" in order:
                self.has_stopped = True
                self.shut()
            else:
                self._next_block = order["go"]
        self._changed.set()


def _recorder(directory: Path, part_rows: int) -> Recorder:
    try:
        return Recorder(directory, part_rows)
    except OSError as error:
        raise PlanError(f"can't write to {directory}: {error.strerror}") from None


def _send_event(event: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the parent has ended; the end of standard input ends the run
