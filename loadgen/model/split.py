"""A plan spread over several worker processes: what each of them is given. Starts none."""

from __future__ import annotations

from dataclasses import replace

from loadgen.model.arrivals import Share, parse_arrivals
from loadgen.model.plan import Plan


def shares(plan: Plan) -> list[Plan]:
    """The plan of each of its `processes`; together they are the load of the whole.

    Users and connections are dealt out, the rate is divided: constant arrivals of one worker come between those of the
    others, and Poisson arrivals have a seed of each worker's own, for the sum of Poisson processes is one. Only the
    first watches the server's process.
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
                users=_dealt(max(load.users, count), number, count),
                max_connections=_dealt(max(load.max_connections, count), number, count),
                rate_rps=load.rate_rps / count,
                arrivals=str(Share(kind, number, count)),
            ),
        )
        for number in range(count)
    ]


def _dealt(whole: int, number: int, count: int) -> int:
    return whole // count + (number < whole % count)
