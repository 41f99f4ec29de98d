"""An engine whose requests go to several origins: each has a way and connections of its own. Decides no order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from loadgen.drive.engine import Engine
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.origins.origins_load import OriginsLoad, origins_load
from loadgen.drive.slots.workload import BlockLoad
from loadgen.drive.window import Window
from loadgen.model.cell import Cell
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.sample_sink import SampleSink
from loadgen.wire.clock import PhaseClock
from loadgen.wire.route import Route


class OriginsEngine(Engine):
    """Opens no connection itself. plan: the run's. plans, routes: of each origin, in the order of the plan's."""

    def __init__(
        self,
        plan: Plan,
        plans: Sequence[Plan],
        routes: Sequence[Route],
        sink: SampleSink,
        connections: int = 0,
        clock: PhaseClock | None = None,
    ) -> None:
        super().__init__(plan, routes[0], sink, connections, clock)
        self._origins_load: OriginsLoad
        self.origins = [
            OriginContext(own, route, place, len(plans), self)
            for place, (own, route) in enumerate(zip(plans, routes, strict=True))
        ]

    @property
    def routes(self) -> list[Route]:
        return [one.route for one in self.origins]

    def preflight(self) -> tuple[ErrorKind, str] | None:
        """Of the first origin."""
        return self.preflight_of(self.origins[0])

    def preflight_of(self, origin: OriginContext) -> tuple[ErrorKind, str] | None:
        """As `preflight`, for this origin."""
        return self._ask(
            origin, origin.route, origin.requests, lambda: self._origins_load.preflight_slot_of(origin.place)
        )

    def account(self, window: Window) -> dict[str, int]:
        for one in self.origins:
            one.hand_over()
        return super().account(window)

    def count_from(self, begun_ns: int) -> None:
        super().count_from(begun_ns)
        if self.counted_from_ns == begun_ns:
            for one in self.origins:
                one.count_from(begun_ns)

    def _make_load(self, cell: Cell, due_times: Callable[[], Iterator[int]]) -> BlockLoad:
        self.balance = None  # its evenness would be that of the requests' weights
        for one in self.origins:
            one.prepare(cell, self._counter)
        found = origins_load(self, self.origins, cell, self._plan.load.max_connections, due_times)
        self._origins_load = found
        return found
