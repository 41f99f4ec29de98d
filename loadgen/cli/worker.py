"""The load-making process: reads a plan from standard input, writes rows to the run's folder, events to its parent.

It is a process of its own so that nothing but the load runs on its loop, and so that its death loses nothing.
"""

from __future__ import annotations

import errno
import json
import signal
import sys
from pathlib import Path
from typing import Any

import gevent
from gevent import signal_handler

from loadgen.cli import EXIT_DONE
from loadgen.drive.runner import Runner
from loadgen.measure.recorder import Recorder
from loadgen.model.errors import PlanError, TargetError
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
        route = Route.to(plan.target, plan.cacert, plan.insecure, plan.source_ips)
        runner = Runner(plan, route, recorder, _tell, frozenset(order["skip"]), order["first_connection"])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal_handler(number, runner.interrupt)
        # The parent holds our standard input open for as long as it lives.
        orphaned = gevent.get_hub().loop.io(sys.stdin.fileno(), READ, ref=False)
        orphaned.start(runner.interrupt)
        whole = runner.run()
        orphaned.close()
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
