"""A plan split over several worker processes: the plan of each. Starts none."""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.arrivals import Share, parse_arrivals
from loadgen.model.load import share_of
from loadgen.model.plan import Plan


def shares(plan: Plan) -> list[Plan]:
    """The plan of each of its `processes`; together they are the load of the whole.

    Users, connections, requests and the rate are divided. Constant arrivals of one worker come between those of
    the others.
    Poisson arrivals have another seed in each worker: the sum of Poisson processes is a Poisson process. Only the first
    worker watches the server's process.
    """
    count, load = plan.processes, plan.load
    if count == 1:
        return [plan]
    kind = parse_arrivals(load.arrivals).kind
    return [
        replace(
            plan,
            processes=1,
            server_pid=plan.server_pid if number == 0 else None,
            load=replace(
                load,
                users=share_of(max(load.users, count), number, count),
                max_connections=share_of(max(load.max_connections, count), number, count),
                rate_rps=load.rate_rps / count,
                requests=None if load.requests is None else share_of(load.requests, number, count),
                arrivals=str(Share(kind, number, count)),
            ),
        )
        for number in range(count)
    ]
