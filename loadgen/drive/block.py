"""Runs ordered blocks on one worker and notes the facts of each. Decides no order, prints nothing, writes no file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from loadgen.drive.engine import Engine, Window
from loadgen.drive.schedule import Block
from loadgen.drive.slots.slot import SampleSink
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.drive.system.server_process import rss_bytes
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1
from loadgen.wire.route import Route

Report = Callable[[dict[str, Any]], None]


class RunSink(SampleSink, Protocol):
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
        self, plan: Plan, route: Route, worker: Engine, sink: RunSink, report: Report, watches: bool,
        insists: bool = True,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._route = route
        self._worker = worker
        self._sink = sink
        self._report = report
        self._watches = watches
        self._insists = insists
        self._knocked: set[str] = set()  # with requests of these protocols
        self._ways: set[bool] = set()  # through a proxy's tunnel, or not
        self._answered = False

    def run(self, block: Block) -> dict[str, Any]:
        """Run a block; gives its facts. Raises TargetError where the first request fails, OSError on a full disk."""
        worker = self._worker
        tunnels = self._route.tunnels = self._plan.tunnels(block.cell.policy)
        worker.prepare(block)
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": worker.connections,
        }
        self._sink.block(facts)
        # A proxy may let requests pass and no tunnel, or ask for credentials on one of these ways alone.
        is_new_way = tunnels not in self._ways and self._plan.proxy is not None
        self._ways.add(tunnels)
        challenge = {}
        if is_new_way or (not self._answered and block.cell.policy.protocol not in self._knocked):
            connections, errors = worker.connections, worker.errors
            self._knock(block.cell.policy.protocol)
            if self._route.login.wanted:
                # One connection had to be in any case; the others served the proxy to ask for credentials.
                spent = max(0, worker.connections - connections - 1)
                challenge = {"challenge": {"connections": spent, "errors": min(spent, worker.errors - errors)}}
        if self._watches and worker.costs is None:
            worker.costs = SystemMonitor(self._plan, self._observed()["address"], self._warn)
        self._report({"block": facts})

        def note(begun_ns: int) -> None:
            facts["window_begun_ns"] = begun_ns
            self._sink.block(facts)

        window = worker.run(block, note)
        facts |= self._outcome(block, window) | challenge
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
            "mismatched_echoes": worker.mismatched_echoes,
            "trailers": worker.trailers.take(),
            **worker.account(window),
            **(worker.costs.end() if worker.costs is not None else {}),
        }
        if not block.cell.policy.honours_close:
            facts["after_close"] = {"tried": worker.after_close_tried, "answered": worker.after_close_answered}
        return facts

    def _knock(self, protocol: str) -> None:
        """One request before all others: a target that can't be had is told at once, not after every round."""
        self._knocked.add(protocol)
        route = self._route
        wanted = route.login.wanted or not route.tunnels
        while not self._worker.interrupted:
            failure = self._worker.knock()
            if failure is None or self._worker.interrupted:
                self._answered = self._answered or failure is None
                break
            kind, detail = failure
            addresses = self._route.addresses
            if kind.tries_next_address and len(addresses) > 1:
                self._route.drop_address()
                continue
            if kind is ErrorKind.PROXY_AUTHENTICATION and route.login.wanted and not wanted:
                wanted = True  # it closed the connection that it asked on; from now on it is told unasked
                continue
            advice = f"; {kind.advice}" if kind.advice else ""
            message = f"{self._whom(kind)}: {kind.label.replace('_', ' ')}: {detail}{advice}"
            others = {cell.policy.protocol for cell in self._plan.cells} - self._knocked
            # What a server does with an upgrade, or another protocol than HTTP/1.1, says nothing of other policies.
            of_protocol = protocol != HTTP1 and not kind.hits_every_policy
            if self._insists and not self._answered and not (others and of_protocol):
                raise TargetError(message)
            asked = f"{protocol}: " if of_protocol else ""
            self._warn({"code": "target_failed", "message": f"{asked}{message}"})
            return
        self._report({"observed": self._observed()})

    def _whom(self, kind: ErrorKind) -> str:
        """Of whom a failure of this kind speaks."""
        proxy, target = self._plan.proxy, self._plan.target
        if proxy is None:
            return f"{target}"
        return f"the proxy {proxy}, on the way to {target}" if kind.is_about_proxy else f"{target} by way of {proxy}"

    def _observed(self) -> dict[str, Any]:
        address = self._route.addresses[0][1] if self._route.addresses else ("", 0)
        proxy = {} if self._plan.proxy is None else {"proxy": f"{self._plan.proxy}"}
        return {"address": f"{address[0]}", "port": address[1], **proxy, **self._worker.observed}

    def _warn(self, warning: dict[str, str]) -> None:
        self._report({"warning": warning})
