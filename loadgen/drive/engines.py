"""The engine of a plan: for one origin, or for several. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadgen.drive.engine import Engine
from loadgen.drive.origins.origins_engine import OriginsEngine
from loadgen.model.origin_plans import plans_by_origin
from loadgen.model.plan import Plan
from loadgen.model.sample_sink import SampleSink
from loadgen.wire.route import Route


def routes_of(plan: Plan, route_of: Callable[[Plan], Route]) -> list[Route]:
    """The way to each origin of the plan's requests. Raises PlanError as `route_of` does."""
    return [route_of(one) for one in plans_by_origin(plan)]


def engine_of(plan: Plan, routes: Sequence[Route], sink: SampleSink, connections: int = 0) -> Engine:
    """An engine for the plan. routes: see `routes_of`; connections: the number of the first connection."""
    plans = plans_by_origin(plan)
    if len(plans) == 1:
        return Engine(plan, routes[0], sink, connections)
    return OriginsEngine(plan, plans, routes, sink, connections)
