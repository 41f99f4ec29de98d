"""Runs a whole plan on one worker: knocks at the target, then block after block. Prints nothing, writes no file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import gevent

from loadgen.drive import schedule
from loadgen.drive.user import Sink
from loadgen.drive.worker import Worker, rss_bytes
from loadgen.model.errors import TargetError
from loadgen.model.plan import Plan
from loadgen.model.sample import ErrorKind
from loadgen.wire.route import Route

_PROGRESS_EVERY_S = 0.25
_TRY_NEXT_ADDRESS = {ErrorKind.CONNECT_REFUSED, ErrorKind.CONNECT_UNREACHABLE, ErrorKind.CONNECT_TIMEOUT}
_ADVICE = {
    ErrorKind.DNS_FAILED: "check the name",
    ErrorKind.CONNECT_REFUSED: "is the server running, and on this port?",
    ErrorKind.TLS_UNTRUSTED: "give the authority's certificate with --cacert FILE, or skip the check with --insecure",
    ErrorKind.TLS_WRONG_NAME: "use a name that the certificate holds, or skip the check with --insecure",
    ErrorKind.TLS_FAILED: "does this port speak TLS 1.2 or 1.3?",
    ErrorKind.RESPONSE_TIMEOUT: "allow more with --timeout",
    ErrorKind.MALFORMED: "does this port speak HTTP/1.1 in clear?",
}

Report = Callable[[dict[str, Any]], None]


class RunSink(Sink, Protocol):
    """A sink that also notes blocks and knows how many exchanges it holds."""

    @property
    def exchanges(self) -> int: ...

    def block(self, facts: dict[str, Any]) -> None: ...


class Runner:
    """One run. `report` is called with small dictionaries: progress, blocks begun, what was observed."""

    def __init__(self, plan: Plan, route: Route, sink: RunSink, report: Report) -> None:
        self._plan = plan
        self._route = route
        self._sink = sink
        self._report = report
        self._worker = Worker(plan, route, sink)
        hub = gevent.get_hub()
        # The worker's process is ours alone: an error in any callback ends the run instead of being printed.
        hub.handle_error = self._handle_error
        self._ticker = hub.loop.timer(_PROGRESS_EVERY_S, _PROGRESS_EVERY_S, ref=False)

    def run(self) -> bool:
        """Run every block; False if it was interrupted. Raises TargetError, or OSError where the disk is full."""
        self._ticker.start(self._progress)
        try:
            for block in schedule.blocks(self._plan):
                self._worker.prepare(block)
                facts: dict[str, Any] = {
                    "index": block.index,
                    "round": block.round,
                    "policy": block.policy.name,
                }
                facts["first_connection"] = self._worker.connections
                if block.index == 0:
                    self._sink.block(facts)
                    self._knock()
                    self._report({"observed": self._observed()})
                self._sink.block(facts)
                self._report({"block": facts})

                def note(begun_ns: int, facts: dict[str, Any] = facts) -> None:
                    facts["window_begun_ns"] = begun_ns
                    self._sink.block(facts)

                window = self._worker.run(note)
                facts |= {
                    "window_begun_ns": window.begun_ns,
                    "window_ended_ns": window.ended_ns,
                    "cpu_ns": window.cpu_ns,
                    "rss_bytes": rss_bytes(),
                }
                self._sink.block(facts)
                self._progress()
                if self._worker.interrupted:
                    return False
        finally:
            self._ticker.stop()
        return True

    def interrupt(self) -> None:
        """End the run after cutting the block under way short."""
        self._worker.interrupt()

    def _handle_error(self, _context: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        """Called by gevent's hub when a callback raised."""
        self._worker.fail(error)

    def _knock(self) -> None:
        """One request before all others: a target that can't be had is told at once, not after every round."""
        while not self._worker.interrupted:
            failure = self._worker.knock()
            if failure is None or self._worker.interrupted:
                return
            kind, detail = failure
            addresses = self._route.addresses
            if kind in _TRY_NEXT_ADDRESS and len(addresses) > 1:
                del addresses[0]
                continue
            advice = f"; {_ADVICE[kind]}" if kind in _ADVICE else ""
            raise TargetError(f"{self._plan.target}: {kind.label.replace('_', ' ')}: {detail}{advice}")

    def _observed(self) -> dict[str, Any]:
        address = self._route.addresses[0][1] if self._route.addresses else ("", 0)
        return {"address": f"{address[0]}", "port": address[1], **self._worker.observed}

    def _progress(self) -> None:
        self._report({"exchanges": self._sink.exchanges, "errors": self._worker.errors})
