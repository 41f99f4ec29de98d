"""Runs ordered blocks on one worker and notes the facts of each. Decides no order, prints nothing, writes no file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from loadgen.drive.costs import Costs
from loadgen.drive.line import Sink
from loadgen.drive.schedule import Block
from loadgen.drive.server_process import rss_bytes
from loadgen.drive.worker import Window, Worker
from loadgen.model.errors import TargetError
from loadgen.model.plan import Plan
from loadgen.model.sample import ErrorKind
from loadgen.wire.route import Route

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


class BlockRunner:
    """One run's blocks. `report` is called with {"observed": ...}, {"block": facts} and {"warning": ...}.

    watches: read what the connections cost kernel and server too; of several processes on a machine one is enough.
    insists: a target that fails the very first request ends the run; else that is reported as a warning.
    """

    def __init__(
        self, plan: Plan, route: Route, worker: Worker, sink: RunSink, report: Report, watches: bool,
        insists: bool = True,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._route = route
        self._worker = worker
        self._sink = sink
        self._report = report
        self._watches = watches
        self._insists = insists
        self._knocked = False

    def run(self, block: Block) -> dict[str, Any]:
        """Run a block; gives its facts. Raises TargetError where the first request fails, OSError on a full disk."""
        worker = self._worker
        worker.prepare(block)
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": worker.connections,
        }
        self._sink.block(facts)
        if not self._knocked:
            self._knocked = True
            self._knock()
        if self._watches and worker.costs is None:
            worker.costs = Costs(self._plan, self._observed()["address"], self._warn)
        self._report({"block": facts})

        def note(begun_ns: int) -> None:
            facts["window_begun_ns"] = begun_ns
            self._sink.block(facts)

        window = worker.run(block, note)
        facts |= self._outcome(block, window)
        self._sink.block(facts)
        return facts

    def close(self) -> None:
        """The run is over."""
        if self._worker.costs is not None:
            self._worker.costs.close()

    def _outcome(self, block: Block, window: Window) -> dict[str, Any]:
        """What is known of a block at its end."""
        worker = self._worker
        facts: dict[str, Any] = {
            "window_begun_ns": window.begun_ns,
            "window_ended_ns": window.ended_ns,
            "cpu_ns": window.cpu_ns,
            "rss_bytes": rss_bytes([os.getpid()]),
            "whole": worker.whole,
            "retried": worker.retried,
            "keep_alive": worker.keep_alive,
            **worker.account(window),
            **(worker.costs.end() if worker.costs is not None else {}),
        }
        if not block.cell.policy.obeys:
            facts["after_close"] = {"tried": worker.after_close_tried, "answered": worker.after_close_answered}
        return facts

    def _knock(self) -> None:
        """One request before all others: a target that can't be had is told at once, not after every round."""
        while not self._worker.interrupted:
            failure = self._worker.knock()
            if failure is None or self._worker.interrupted:
                break
            kind, detail = failure
            addresses = self._route.addresses
            if kind in _TRY_NEXT_ADDRESS and len(addresses) > 1:
                self._route.refuse()
                continue
            advice = f"; {_ADVICE[kind]}" if kind in _ADVICE else ""
            message = f"{self._plan.target}: {kind.label.replace('_', ' ')}: {detail}{advice}"
            if self._insists:
                raise TargetError(message)
            self._warn({"code": "target_failed", "message": message})
            return
        self._report({"observed": self._observed()})

    def _observed(self) -> dict[str, Any]:
        address = self._route.addresses[0][1] if self._route.addresses else ("", 0)
        return {"address": f"{address[0]}", "port": address[1], **self._worker.observed}

    def _warn(self, warning: dict[str, str]) -> None:
        self._report({"warning": warning})
