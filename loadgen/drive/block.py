"""Runs blocks on one engine and notes the facts of each. Decides no order, prints nothing, writes no file."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult

from loadgen.drive.block_balance import address_changes
from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.engine import Engine
from loadgen.drive.origin_checks import check_of
from loadgen.drive.schedule import Block
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.drive.system.server_process import own_memory
from loadgen.drive.target_check import Report
from loadgen.drive.window import Window
from loadgen.model.address_spread import FIRST
from loadgen.model.origins import places_of
from loadgen.model.plan import Plan
from loadgen.model.redaction import redact_url
from loadgen.model.sample_sink import RunSink
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.route import Route

if TYPE_CHECKING:  # it takes a worker long to make these types
    from loadgen.model.block_facts import AddressChange

_MAX_LOOK_UP_S = 2.0
# Of a Location field: what is read, and what a block's facts hold of it.
_MAX_READ_BYTES, _MAX_LOCATION = 2000, 200


class BlockRunner:
    """One run's blocks. `report` is called with {"observed": ...}, {"block": facts} and {"warning": ...}.

    monitors_system: read what the connections cost kernel and server too; of several processes on a machine one is
    enough. route: to the target. must_answer, has_answered, name: see TargetCheck.
    """

    def __init__(
        self, plan: Plan, route: Route, engine: Engine, sink: RunSink, report: Report, monitors_system: bool,
        must_answer: bool = True, has_answered: bool = False, name: str | None = None,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._engine = engine
        self._sink = sink
        self._report = report
        self._monitors_system = monitors_system
        self._check = check_of(plan, route, engine, report, must_answer, has_answered, name)

    def run(self, block: Block) -> dict[str, Any]:
        """Run a block; gives its facts. Raises TargetError where the first request fails, OSError as the sink does."""
        engine = self._engine
        engine.prepare(block)
        facts: dict[str, Any] = {
            "index": block.index,
            "round": block.round,
            "policy": block.cell.name,
            "first_connection": engine.connections,
        }
        if self._plan.requests:
            facts["request_weights"] = [one.weight for one in self._plan.requests]
        if len(self._plan.origins) > 1:
            facts["request_origins"] = places_of(self._plan.target, self._plan.requests)
        self._sink.block(facts)
        challenge = self._check.before_block(block.cell.policy.protocol)
        if self._monitors_system and engine.monitor is None:
            engine.monitor = SystemMonitor(self._plan, self._check.observed()["address"], self._warn)
        self._report({"block": facts})

        def note(begun_ns: int) -> None:
            facts.update(load_begun_ns=engine.load_begun_ns, window_begun_ns=begun_ns)
            self._sink.block(facts)

        def note_end(ended_ns: int) -> None:
            # At once: rows that are read before this line is there were written within the window.
            facts.setdefault("window_begun_ns", ended_ns)
            facts["window_ended_ns"] = ended_ns
            self._sink.block(facts)

        window = engine.run(block, note, note_end)
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
            **own_memory(),
            "whole": engine.whole,
            "retried": engine.retried,
            "keep_alive": engine.keep_alive,
            "idle_statuses": engine.idle_statuses,
            "mismatched_echoes": engine.mismatched_echoes,
            "trailers": engine.trailers.take(),
            "lenient": engine.leniencies.take(),
            "unasked_bytes": engine.unasked.take(),
            **engine.account(window),
            **(engine.monitor.end() if engine.monitor is not None else {}),
        }
        facts |= addresses_used(engine, *engine.routes)
        if self._plan.transfer.expects_continue:
            facts["continues"] = engine.continues.take()
        if engine.stalled_ns:
            facts["stalled_ns"] = engine.stalled_ns
        location = redirect_location(engine.last_redirect)
        if location:
            facts["redirected_to"] = location
        if not block.cell.policy.honours_close:
            facts["after_close"] = {"tried": engine.after_close_tried, "answered": engine.after_close_answered}
        return facts

    def _warn(self, warning: dict[str, str]) -> None:
        self._report({"warning": warning})


def addresses_used(connections: ConnectionManager, *routes: Route) -> dict[str, Any]:
    """What a block's facts have of addresses, backends and attempts; empty where connections go to one address.

    routes: to each of several origins, whose attempts are counted together, and of which none has a balance.

    Connections that are still open, as those of a scenario are, are counted now: they may outlive the block.
    """
    facts: dict[str, Any] = {}
    balance = connections.balance
    if balance is not None:
        for one in connections.open_connections:
            balance.still_open(one.address, one.opened_ns)
        (route,) = routes
        look_again(route)
        known = route.addresses if route.addressing.addresses != FIRST else ()
        facts["balance"] = balance.facts(known) | {"changes": address_changes(route.take_changes())}
    if len(routes) > 1 and (changes := changes_by_origin(routes)):
        facts["address_changes"] = changes
    if any(route.race_delay_ns for route in routes):
        each = [route.races.take() for route in routes]
        facts["races"] = {name: sum(one[name] for one in each) for name in each[0]}
    return facts


def changes_by_origin(routes: Iterable[Route]) -> list[AddressChange]:
    """What look-ups of the names of several origins changed."""
    found: list[AddressChange] = []
    for route in routes:
        if route.addressing.dns_ttl_ns is not None:
            look_again(route)
        found += [{**one, "origin": route.target.base_url} for one in address_changes(route.take_changes())]
    return found


def look_again(route: Route) -> None:
    """Look the name up once more where its addresses are too old for a new connection.

    A policy that opens none would not see a replica that came meanwhile, and that it starves.
    """
    if not route.addresses or route.has_addresses(time.monotonic_ns(), look_up=False):
        return
    answer: AsyncResult = AsyncResult()
    route.look_up(answer.set)
    with suppress(OSError, gevent.Timeout):
        found = answer.get(timeout=_MAX_LOOK_UP_S)
        if isinstance(found, list):
            route.set_addresses(found, time.monotonic_ns())


def redirect_location(head: ResponseHead | None) -> str:
    """Where this response leads, without secrets and not too long; empty where that is unknown or nowhere."""
    if head is None or not 300 <= head.status < 400:
        return ""
    found = next((value for name, value in head.headers if name.lower() == b"location"), b"")
    text = redact_url(found[:_MAX_READ_BYTES].decode("latin-1"))
    return text if len(text) <= _MAX_LOCATION else f"{text[:_MAX_LOCATION]}…"
