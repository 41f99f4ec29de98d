"""Runs blocks on one engine and notes the facts of each. Decides no order, prints nothing, writes no file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from loadgen.drive.engine import Engine, Window
from loadgen.drive.schedule import Block
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.drive.system.server_process import rss_bytes
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1
from loadgen.model.sample_sink import RunSink
from loadgen.model.warning_codes import WarningCode
from loadgen.wire.route import Route

Report = Callable[[dict[str, Any]], None]


class BlockRunner:
    """One run's blocks. `report` is called with {"observed": ...}, {"block": facts} and {"warning": ...}.

    monitors_system: read what the connections cost kernel and server too; of several processes on a machine one is
    enough. must_answer: a target that fails the very first request ends the run; else that is reported as a warning.
    """

    def __init__(
        self, plan: Plan, route: Route, engine: Engine, sink: RunSink, report: Report, monitors_system: bool,
        must_answer: bool = True,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._route = route
        self._engine = engine
        self._sink = sink
        self._report = report
        self._monitors_system = monitors_system
        self._must_answer = must_answer
        self._tried: set[str] = set()  # protocols of preflight requests so far
        self._tunnels_tried: set[bool] = set()  # with a tunnel through the proxy, or without
        self._answered = False

    def run(self, block: Block) -> dict[str, Any]:
        """Run a block; gives its facts. Raises TargetError where the first request fails, OSError on a full disk."""
        engine = self._engine
        tunnels = self._route.tunnels = self._plan.tunnels(block.cell.policy)
        engine.prepare(block)
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": engine.connections,
        }
        self._sink.block(facts)
        # A proxy may let requests pass and refuse tunnels, or ask for credentials in one of these cases only.
        is_new_route = tunnels not in self._tunnels_tried and self._plan.proxy is not None
        self._tunnels_tried.add(tunnels)
        challenge = {}
        if is_new_route or (not self._answered and block.cell.policy.protocol not in self._tried):
            connections, errors = engine.connections, engine.errors
            self._preflight(block.cell.policy.protocol)
            if self._route.login.wanted:
                # One connection was needed anyway; the rest only carried the proxy's 407 challenge.
                spent = max(0, engine.connections - connections - 1)
                challenge = {"challenge": {"connections": spent, "errors": min(spent, engine.errors - errors)}}
        if self._monitors_system and engine.monitor is None:
            engine.monitor = SystemMonitor(self._plan, self._observed()["address"], self._warn)
        self._report({"block": facts})

        def note(begun_ns: int) -> None:
            facts["window_begun_ns"] = begun_ns
            self._sink.block(facts)

        window = engine.run(block, note)
        facts |= self._outcome(block, window) | challenge
        self._sink.block(facts)
        return facts

    def close(self) -> None:
        """The run is over."""
        if self._engine.monitor is not None:
            self._engine.monitor.close()

    def _outcome(self, block: Block, window: Window) -> dict[str, Any]:
        """What is known of a block at its end."""
        engine = self._engine
        facts: dict[str, Any] = {
            "window_begun_ns": window.begun_ns,
            "window_ended_ns": window.ended_ns,
            "cpu_ns": window.cpu_ns,
            "rss_bytes": rss_bytes([os.getpid()]),
            "whole": engine.whole,
            "retried": engine.retried,
            "keep_alive": engine.keep_alive,
            "mismatched_echoes": engine.mismatched_echoes,
            "trailers": engine.trailers.take(),
            **engine.account(window),
            **(engine.monitor.end() if engine.monitor is not None else {}),
        }
        if not block.cell.policy.honours_close:
            facts["after_close"] = {"tried": engine.after_close_tried, "answered": engine.after_close_answered}
        return facts

    def _preflight(self, protocol: str) -> None:
        """One request before all others: a target that can't be reached is reported at once, not after every round."""
        self._tried.add(protocol)
        route = self._route
        wanted = route.login.wanted or not route.tunnels
        while not self._engine.interrupted:
            failure = self._engine.preflight()
            if failure is None or self._engine.interrupted:
                self._answered = self._answered or failure is None
                break
            kind, detail = failure
            addresses = self._route.addresses
            if kind.tries_next_address and len(addresses) > 1:
                self._route.drop_address()
                continue
            if kind is ErrorKind.PROXY_AUTHENTICATION and route.login.wanted and not wanted:
                wanted = True  # it closed the connection with its challenge; from now on credentials are sent at once
                continue
            self._report_failure(kind, detail, protocol)
            return
        self._report({"observed": self._observed()})

    def _report_failure(self, kind: ErrorKind, detail: str, protocol: str) -> None:
        """The preflight request failed: raise TargetError, or warn where other blocks may still have an answer."""
        advice = f"; {kind.advice}" if kind.advice else ""
        # What the kernel calls an error is its kind once more.
        what = kind.meaning if detail in map(os.strerror, kind.errnos) else detail
        message = f"{self._peer_of(kind)}: {kind.label.replace('_', ' ')}: {what}{advice}"
        others = {cell.policy.protocol for cell in self._plan.cells} - self._tried
        # What a server does with an upgrade, or another protocol than HTTP/1.1, says nothing about other policies.
        of_protocol = protocol != HTTP1 and not kind.hits_every_policy
        if self._must_answer and not self._answered and not (others and of_protocol):
            raise TargetError(message)
        prefix = f"{protocol}: " if of_protocol else ""
        self._warn({"code": WarningCode.TARGET_FAILED.value, "message": f"{prefix}{message}"})

    def _peer_of(self, kind: ErrorKind) -> str:
        """Which peer a failure of this kind is about."""
        proxy, target = self._plan.proxy, self._plan.target
        if proxy is None:
            return f"{target}"
        return f"the proxy {proxy}, on the way to {target}" if kind.is_about_proxy else f"{target} by way of {proxy}"

    def _observed(self) -> dict[str, Any]:
        address = self._route.addresses[0][1] if self._route.addresses else ("", 0)
        proxy = {} if self._plan.proxy is None else {"proxy": f"{self._plan.proxy}"}
        return {"address": f"{address[0]}", "port": address[1], **proxy, **self._engine.observed}

    def _warn(self, warning: dict[str, str]) -> None:
        self._report({"warning": warning})
