"""The load-making process: reads a plan from standard input, writes rows to the run's folder, events to its parent.

It is a process of its own so that nothing but the load runs on its loop, and so that its death loses nothing.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import signal_handler
from gevent.event import Event

from loadgen.cli import EXIT_DONE
from loadgen.drive.run_loop import RunLoop
from loadgen.drive.schedule import Block
from loadgen.measure.data.recorder import Recorder
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.wire.route import Route
from loadgen.wire.transport import READ

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, our share of it, or the longest file allowed


def work(directory: Path) -> int:
    """Run the plan; the last event says how it ended."""
    order = json.loads(sys.stdin.readline())
    plan = Plan.from_json(order["plan"])
    recorder = None
    try:
        recorder = _recorder(directory)
        route = Route.to(plan.target, plan.cacert, plan.insecure, plan.source_ips, plan.proxy)
        gate = _Gate()
        runner = RunLoop(
            plan, route, recorder, _tell, frozenset(order["skip"]), order["first_connection"],
            gate if order.get("waits") else None, order.get("watches", True),
        )  # fmt: skip

        def interrupt() -> None:
            gate.close()
            runner.interrupt()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal_handler(number, interrupt)
        gate.watch(interrupt)
        whole = runner.run()
        gate.end()
        _tell({"end": "done" if whole else "interrupted"})
    except PlanError as error:
        _tell({"end": "plan", "message": str(error)})
    except TargetError as error:
        _tell({"end": "target", "message": str(error)})
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _tell({"end": "disk_full"})
    finally:
        if recorder is not None:
            recorder.close()
    return EXIT_DONE


class _Gate:
    """What the parent says on standard input while the run goes on. It holds that open for as long as it lives.

    Called before each block it says {"ready": index} and waits for a line {"go": index}, which the parent sends to all
    workers when all are ready, so that they run the same block at the same time.
    """

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        # Somebody who waits at the gate waits for this: without the reference the loop would have nothing to do.
        self._watcher = gevent.get_hub().loop.io(self._descriptor, READ)
        self._said = Event()
        self._begun = b""
        self._next: int | None = None
        self._closed = False

    def __call__(self, block: Block) -> bool:
        """Wait until the block may begin; False where the run is over."""
        _tell({"ready": block.index})
        while not self._closed and self._next != block.index:
            self._said.clear()
            self._said.wait()
        return not self._closed

    def watch(self, on_end: Callable[[], None]) -> None:
        """Call `on_end` when the parent closes its end, or is gone."""
        self._watcher.start(self._read, on_end)

    def close(self) -> None:
        """No block begins any more."""
        self._closed = True
        self._said.set()

    def end(self) -> None:
        """Listen no more."""
        self._watcher.stop()

    def _read(self, on_end: Callable[[], None]) -> None:
        heard = os.read(self._descriptor, 1 << 16)
        if not heard:
            self.end()
            on_end()
            return
        *lines, self._begun = (self._begun + heard).split(b"\n")
        for line in lines:
            self._next = json.loads(line)["go"]
        self._said.set()


def _recorder(directory: Path) -> Recorder:
    try:
        return Recorder(directory)
    except OSError as error:
        raise PlanError(f"can't write to {directory}: {error.strerror}") from None


def _tell(event: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the parent is gone; the end of standard input ends the run
