"""Runs a whole plan on one worker: knocks at the target, then block after block. Prints nothing, writes no file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import gevent

from loadgen.drive import schedule
from loadgen.drive.costs import Costs
from loadgen.drive.line import Sink
from loadgen.drive.server_process import rss_bytes
from loadgen.drive.worker import Window, Worker
from loadgen.model.errors import TargetError
from loadgen.model.plan import Plan
from loadgen.model.sample import ErrorKind
from loadgen.wire.route import Route

_PROGRESS_EVERY_S = 0.25
_TRY_NEXT_ADDRESS = {ErrorKind.CONNECT_REFUSED, ErrorKind.CONNECT_UNREACHABLE, ErrorKind.CONNECT_TIMEOUT}
_ADVICE = {
    ErrorKind.DNS_FAILED: "check the name",
    ErrorKind.CONNECT_REFUSED: "is the server running, and on this port?",
    ErrorKind.NO_LOCAL_PORT: "closed connections hold them in TIME_WAIT; wait a minute, or add --source-ip ADDR",
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
    """One run. `report` is called with small dictionaries: progress, blocks begun, what was observed.

    skip: indices of blocks that an earlier part of the run has done; connections: how many it had begun.
    """

    def __init__(
        self, plan: Plan, route: Route, sink: RunSink, report: Report, skip: frozenset[int] = frozenset(),
        connections: int = 0,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._route = route
        self._sink = sink
        self._report = report
        self._skip = skip
        self._costs: Costs | None = None
        self._worker = Worker(plan, route, sink, connections)
        hub = gevent.get_hub()
        # The worker's process is ours alone: an error in any callback ends the run instead of being printed.
        hub.handle_error = self._handle_error
        self._ticker = hub.loop.timer(_PROGRESS_EVERY_S, _PROGRESS_EVERY_S, ref=False)

    def run(self) -> bool:
        """Run every block; False if it was interrupted. Raises TargetError, or OSError where the disk is full."""
        self._ticker.start(self._progress)
        try:
            knocked = False
            for block in schedule.blocks(self._plan):
                if block.index not in self._skip:
                    self._run(block, knocked)
                    knocked = True
                    if self._worker.interrupted:
                        return False
        finally:
            self._ticker.stop()
            if self._costs is not None:
                self._costs.close()
        return True

    def _run(self, block: schedule.Block, knocked: bool) -> None:
        worker = self._worker
        worker.prepare(block)
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": worker.connections,
        }
        self._sink.block(facts)
        if not knocked:
            self._knock()
            observed = self._observed()
            self._report({"observed": observed})
            self._costs = worker.costs = Costs(self._plan, observed["address"], self._warn)
        self._report({"block": facts})

        def note(begun_ns: int) -> None:
            facts["window_begun_ns"] = begun_ns
            self._sink.block(facts)

        window = worker.run(block, note)
        facts |= self._outcome(block, window)
        self._sink.block(facts)
        self._progress()

    def _outcome(self, block: schedule.Block, window: Window) -> dict[str, Any]:
        """What is known of a block at its end."""
        worker = self._worker
        facts: dict[str, Any] = {
            "window_begun_ns": window.begun_ns,
            "window_ended_ns": window.ended_ns,
            "cpu_ns": window.cpu_ns,
            "rss_bytes": rss_bytes([os.getpid()]),
            "whole": not worker.interrupted,
            "retried": worker.retried,
            "keep_alive": worker.keep_alive,
            **worker.account(window),
            **worker.costs.end(),
        }
        if not block.cell.policy.obeys:
            facts["after_close"] = {"tried": worker.after_close_tried, "answered": worker.after_close_answered}
        return facts

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
                self._route.refuse()
                continue
            advice = f"; {_ADVICE[kind]}" if kind in _ADVICE else ""
            raise TargetError(f"{self._plan.target}: {kind.label.replace('_', ' ')}: {detail}{advice}")

    def _observed(self) -> dict[str, Any]:
        address = self._route.addresses[0][1] if self._route.addresses else ("", 0)
        return {"address": f"{address[0]}", "port": address[1], **self._worker.observed}

    def _warn(self, warning: dict[str, str]) -> None:
        self._report({"warning": warning})

    def _progress(self) -> None:
        self._report({"exchanges": self._sink.exchanges, "errors": self._worker.errors})
