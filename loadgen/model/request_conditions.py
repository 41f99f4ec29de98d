"""What several requests of a run have to go with: targets, and policies that can send them. Knows no plan."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.exceptions import PlanError
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import HTTP1, WEBSOCKET, ConnectionPolicy
from loadgen.model.target import Target


def check_requests(
    requests: Sequence[PlannedRequest], methods: Sequence[str], policies: Sequence[ConnectionPolicy], has_body: bool
) -> None:
    """Raise PlanError where they do not. methods: those of the requests. has_body: the plan has one for all."""
    for one in requests:
        if one.chunked and not (one.body or has_body):
            raise PlanError(f"--urls: the request {one.name!r} is chunked, and it has no body")
    mixes_head = "HEAD" in methods and len(methods) > 1
    for policy in policies:
        if policy.protocol == WEBSOCKET:
            raise PlanError(f"the policy {policy.name} sends messages, and --urls lists requests; use --data")
        if mixes_head and (policy.depth > 1 or policy.protocol != HTTP1):
            raise PlanError(
                f"--urls lists HEAD beside other methods, which the policy {policy.name} can't have in flight "
                "together; give HEAD a list of its own"
            )


def check_one_origin(requests: Sequence[PlannedRequest], targets: Sequence[Target]) -> None:
    """Raise PlanError where a request is for one of several targets only, or for none."""
    for request in requests:
        for target in targets:
            if request.origin not in ("", target.base_url):
                raise PlanError(
                    f"--urls: the request {request.name!r} is for {request.origin}, and a target is {target.base_url}; "
                    "each of several targets gets all requests, so write their paths alone"
                )


def check_origins(
    target: Target, origins: Sequence[Target], policies: Sequence[ConnectionPolicy], backend_header: str | None
) -> None:
    """Raise PlanError where the requests of one target can't go to these origins."""
    if target.base_url not in [one.base_url for one in origins]:
        raise PlanError(f"no line of --urls is for the target, {target.base_url}; leave its URL out")
    if len(origins) == 1:
        return
    if backend_header:
        raise PlanError("--backend-header is for one origin, and --urls has several; leave one of them out")
    for policy in policies:
        if policy.depth > 1 and not policy.pool:
            raise PlanError(
                f"the policy {policy.name} has several requests of a user in flight, and a user takes turns between "
                f"the {len(origins)} origins of --urls; one with a pool, as h2+pool:4+streams:3, can do that"
            )


def check_for_one(**options: object) -> None:
    """Raise PlanError where an option is given that a run of several requests can't have."""
    for name, value in options.items():
        if value:
            flag = name.replace("_", "-")
            raise PlanError(f"--{flag} is for one request, and --urls has several; leave one of them out")
