"""An engine of several origins whose servers answer in the loop's next turn, without a kernel."""

from __future__ import annotations

from typing import Any

from loadgen.drive.origins.origins_engine import OriginsEngine
from loadgen.drive.schedule import Block, blocks
from loadgen.model.origin_plans import plans_by_origin
from loadgen.model.origins import places_of
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.wire import poller
from tests.support.answering_transport import AnsweringTransport
from tests.support.fake_network import FakeRoute, FakeSink

URLS = """
{"url": "/a", "weight": 2, "name": "a"}
{"url": "http://img:82/b", "name": "b"}
{"url": "/c", "name": "c"}
"""


class OriginRig:
    """One with the plan's first block prepared. servers: of the target and of the other origin."""

    def __init__(
        self,
        policy: str,
        servers: tuple[type[AnsweringTransport], ...] = (AnsweringTransport, AnsweringTransport),
        **load: Any,
    ) -> None:
        values = {"users": 3, "rounds": 1, "block_ns": 30 * NS_PER_MS, "warmup_ns": 10 * NS_PER_MS, **load}
        self.plan = Plan(
            parse_target("http://h:81/"), parse_policies(policy), Load(**values), requests=read_requests(URLS)
        )
        self.routes = [FakeRoute(poller.of_hub(), server) for server in servers]
        self.sink = FakeSink()
        self.engine = OriginsEngine(self.plan, plans_by_origin(self.plan), self.routes, self.sink)
        self.block: Block = next(blocks(self.plan))
        self.engine.prepare(self.block)

    def run(self) -> Any:
        return self.engine.run(self.block, lambda _: None)

    @property
    def facts(self) -> Any:
        """What the block's rows are read by."""
        return {
            "index": 0,
            "round": 0,
            "policy": self.block.cell.name,
            "first_connection": 0,
            "request_weights": [one.weight for one in self.plan.requests],
            "request_origins": places_of(self.plan.target, self.plan.requests),
        }
