"""A block runner on an engine whose first requests end as a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadgen.drive.block import BlockRunner
from loadgen.drive.schedule import Block, blocks
from loadgen.drive.window import Window
from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import LeniencyCounts
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.trailers import TrailerCounts
from loadgen.model.unasked_bytes import UnaskedCounts
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.route import Route
from tests.support.fake_network import ADDRESS, FakeSink

SECOND = (2, ("192.0.2.2", 80))


class FakeEngine:
    """An engine whose preflight requests end as a test says: None for an answer."""

    def __init__(self, plan: Plan, route: Route, failures: list[tuple[ErrorKind, str] | None]) -> None:
        self.plan = plan
        self.route = route
        self.routes = [route]
        self.failures = failures
        self.preflights = 0
        self.on_preflight: Callable[[], object] = lambda: None
        self.prepared: list[str] = []
        self.ran: list[str] = []
        self.connections = 10
        self.errors = self.retried = self.mismatched_echoes = 0
        self.idle_statuses: dict[str, int] = {}
        self.after_close_tried, self.after_close_answered = 4, 1
        self.keep_alive: dict[str, int] = {}
        self.trailers = TrailerCounts()
        self.leniencies = LeniencyCounts()
        self.unasked = UnaskedCounts()
        self.observed: dict[str, Any] = {"server": "made-up"}
        self.last_redirect: ResponseHead | None = None
        self.stalled_ns = 0
        self.load_begun_ns = 60
        self.balance = None
        self.interrupted = False
        self.whole = True
        self.monitor: Any = None

        self.pauses_s: list[float] = []

    def prepare(self, block: Block) -> None:
        self.route.tunnels = self.plan.tunnels(block.cell.policy)
        self.prepared.append(block.cell.name)

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)

    def preflight(self) -> tuple[ErrorKind, str] | None:
        self.preflights += 1
        self.on_preflight()
        self.connections += 1
        failure = self.failures.pop(0) if self.failures else None
        self.errors += failure is not None
        return failure

    def run(self, block: Block, on_window: Any, on_window_end: Any) -> Window:
        self.ran.append(block.cell.name)
        on_window(100)
        on_window_end(200)
        return Window(100, 200, 7)

    def account(self, window: Window) -> dict[str, int]:
        return {"unstarted": 3}


class Rig:
    """A runner with everything that it reports."""

    def __init__(self, policies: str, *failures: tuple[ErrorKind, str] | None, **values: Any) -> None:
        target = parse_target(values.pop("url", "http://h:81/"))
        proxy = values.pop("proxy", None)
        must_answer, has_answered = values.pop("must_answer", True), values.pop("has_answered", False)
        self.plan = Plan(target, parse_policies(policies), Load(rounds=2), proxy=proxy and parse_proxy(proxy), **values)
        self.route = Route(target, addresses=[ADDRESS, SECOND], proxy=self.plan.proxy)
        self.engine = FakeEngine(self.plan, self.route, list(failures))
        self.sink = FakeSink()
        self.reports: list[dict[str, Any]] = []
        self.runner = BlockRunner(
            self.plan, self.route, self.engine, self.sink, self.reports.append, False, must_answer, has_answered,  # type: ignore[arg-type] # a fake engine
        )  # fmt: skip

    def run(self) -> list[dict[str, Any]]:
        return [self.runner.run(block) for block in blocks(self.plan)]

    def reported(self, key: str) -> list[Any]:
        return [report[key] for report in self.reports if key in report]
