"""What a block sends: the plan's one request, or its several, as the block's policy has them. Sends nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from loadgen.drive.requests.encoding import content_of_plan, encoder_for, http1_request
from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.cell import Cell
from loadgen.model.plan import Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.wire.http1.upload import Upload
from loadgen.wire.route import Route


def block_requests(
    plan: Plan, cell: Cell, route: Route, next_connection: Callable[[], int], counter: RequestCounter
) -> EncodedRequest | RequestMix:
    """Those of a block of this cell. next_connection, counter: see RequestMix."""
    if plan.templating.is_on:
        # As of several requests, so that slots choose, and fill, what they send next.
        one = plan.templating.request(cell.path, plan.headers, plan.body)
        plan = plan.part(requests=(one,))
    if not plan.requests:
        return EncodedRequest(encoder_for(plan, cell, partial(_write_http1, plan, cell, route)))
    return request_mix(plan, cell, route, next_connection, counter)


def request_mix(
    plan: Plan, cell: Cell, route: Route, next_connection: Callable[[], int], counter: RequestCounter, origins: int = 1
) -> RequestMix:
    """The plan's several requests in a block of this cell. next_connection, counter, origins: see RequestMix."""

    def encoder(request: PlannedRequest) -> Callable[[bool, str], Any]:
        alone = plan.of_request(request)
        own = replace(cell, path=request.path)
        return encoder_for(alone, own, partial(_write_http1, alone, own, route))

    return RequestMix(plan, encoder, next_connection, counter, origins)


def _write_http1(
    plan: Plan, cell: Cell, route: Route, is_last: bool, cookies: str, upgrade: tuple[tuple[str, str], ...] = ()
) -> bytes | Upload:
    """As WriteHttp1 says; with what the proxy wants by now, where it gets the request itself."""
    headers = plan.headers + route.proxy_fields
    if cookies:
        headers = (*headers, ("Cookie", cookies))
    body = content_of_plan(plan)
    return http1_request(
        plan, cell.policy, plan.method, cell.path, headers, body, plan.transfer, is_last=is_last, upgrade=upgrade
    )
