"""What several requests of a run have to go with: one origin, and policies that can send them. Knows no plan."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.exceptions import PlanError
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import HTTP1, WEBSOCKET, ConnectionPolicy


def check_requests(
    requests: Sequence[PlannedRequest],
    methods: Sequence[str],
    policies: Sequence[ConnectionPolicy],
    origins: Sequence[str],
) -> None:
    """Raise PlanError where they do not. methods: those of the requests. origins: of the targets."""
    for request in requests:
        for origin in origins:
            if request.origin not in ("", origin):
                raise PlanError(
                    f"--urls: the request {request.name!r} is for {request.origin}, and the run's target is {origin}; "
                    "all requests go to one origin"
                )
    mixes_head = "HEAD" in methods and len(methods) > 1
    for policy in policies:
        if policy.protocol == WEBSOCKET:
            raise PlanError(f"the policy {policy.name} sends messages, and --urls lists requests; use --data")
        if mixes_head and (policy.depth > 1 or policy.protocol != HTTP1):
            raise PlanError(
                f"--urls lists HEAD beside other methods, which the policy {policy.name} can't have in flight "
                "together; give HEAD a list of its own"
            )


def check_for_one(**options: object) -> None:
    """Raise PlanError where an option is given that a run of several requests can't have."""
    for name, value in options.items():
        if value:
            flag = name.replace("_", "-")
            raise PlanError(f"--{flag} is for one request, and --urls has several; leave one of them out")
