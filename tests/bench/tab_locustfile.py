"""locustfiles/compare.py, with an account of the time that the hub spends for the tab "Connection reuse".

LOADGEN_BENCH_TAB names a file that gets it at the end: seconds of CPU by what they were for, and of the test.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gevent.pywsgi import WSGIHandler
from locust import events
from locust.env import Environment

from loadgen.swarm import SwarmUser
from loadgen.swarm.class_runner import SwarmClassRunner
from loadgen.swarm.live_view import LiveView
from loadgen.swarm.run import LocustRun

_spent_s: Counter[str] = Counter()
_begun_s = 0.0


def _timed(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        begun_s = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            _spent_s[what] += time.thread_time() - begun_s

    return timed


def _answer(handler: WSGIHandler) -> Any:
    """The whole answer to a request, its head and log too; asked for by the tab, or by Locust's own page."""
    what = "answers" if "/loadgen/" in handler.path else "Locust's own answers"
    return _timed(what, _ANSWER)(handler)


_ANSWER = WSGIHandler.handle_one_response
WSGIHandler.handle_one_response = _answer
LiveView.refresh = _timed("figures", LiveView.refresh)  # type: ignore[method-assign] # the same, with its time noted
LocustRun.take_reports = _timed("reports", LocustRun.take_reports)  # type: ignore[method-assign] # as above
SwarmClassRunner.block_reports = _timed("reports", SwarmClassRunner.block_reports)  # type: ignore[method-assign] # as above


@events.test_start.add_listener
def begin(**_others: Any) -> None:
    global _begun_s
    _begun_s = time.monotonic()
    _spent_s.clear()


@events.test_stopping.add_listener
def end(environment: Environment, **_others: Any) -> None:
    found = {**_spent_s, "test": time.monotonic() - _begun_s}
    Path(os.environ["LOADGEN_BENCH_TAB"]).write_text(json.dumps(found), encoding="ascii")


class Alternating(SwarmUser):
    """The policies of --policies, in turns."""
