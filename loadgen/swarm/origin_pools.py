"""The connections of a user class in this process: a pool of clients for each origin, made when it is first needed.

Every pool treats connections as the class's policy says. Sends nothing and knows no user.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loadgen.drive.block import addresses_used
from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.measure.data.balance_counts import add_balances
from loadgen.measure.data.downsampling import add_each
from loadgen.model.origin_plans import plan_of_origin
from loadgen.model.plan import Plan
from loadgen.model.redaction import is_secret
from loadgen.model.target import parse_target
from loadgen.swarm.scenario_request import Trust
from loadgen.wire.route import Route


class OriginPools:
    """first: the pool of the run's target."""

    def __init__(self, first: GreenletClientPool) -> None:
        self.first = first
        self._others: dict[tuple[str, Trust | None], GreenletClientPool] = {}

    def of(self, origin: str, trust: Trust | None = None) -> GreenletClientPool:
        """The pool for an origin. trust: where requests say it themselves.

        Raises PlanError, which is a ValueError, where the policy can't be had there, or a file is of no use.
        """
        plan: Plan = self.first._plan
        trust = _of_use(trust, origin, plan)
        if trust is None and origin == self.first.origin:
            return self.first
        found = self._others.get((origin, trust))
        if found is None:
            found = self._others[origin, trust] = self._made(_plan_of(plan, origin, trust))
        return found

    def start_balances(self, begun_ns: int) -> None:
        """A block begins; see `BlockBalance.start`."""
        for pool in self._all:
            if pool.balance is not None:
                pool.balance.start(begun_ns)

    def take_addresses_used(self) -> dict[str, Any]:
        """What the block's facts have of addresses, backends and attempts, of all pools; counts begin anew."""
        each = [addresses_used(pool, pool._route) for pool in self._all]
        for pool in self._all:
            before = pool.balance
            pool.begin_balance()  # requests go on between two blocks
            if before is not None:
                pool.balance.follow(before)
        balance = add_balances(one.get("balance") for one in each)
        races = add_each(one["races"] for one in each if "races" in one)
        return ({"balance": balance} if balance else {}) | ({"races": races} if races else {})

    def close(self) -> None:
        """All clients leave; safe to call twice."""
        for pool in reversed(self._all):
            pool.close()

    @property
    def _all(self) -> list[GreenletClientPool]:
        return [self.first, *self._others.values()]

    def _made(self, plan: Plan) -> GreenletClientPool:
        policy = self.first.scenario_policy
        pool = GreenletClientPool(
            plan, Route.of(plan), self.first.sink, policy if plan.target.is_tls else policy.in_clear
        )
        pool.join(self.first)
        return pool


def _of_use(trust: Trust | None, origin: str, plan: Plan) -> Trust | None:
    """None where the run does the same anyway."""
    if trust is None or not origin.startswith("https"):
        return None
    verify = None if isinstance(trust.verify, bool) and trust.verify is not plan.insecure else trust.verify
    return Trust.of(verify, trust.cert)


def _plan_of(plan: Plan, origin: str, trust: Trust | None) -> Plan:
    """The run's plan for another origin, or with another trust. What is secret stays with the run's target."""
    found = plan
    if origin != plan.target.origin:
        public = tuple(field for field in plan.headers if not is_secret(field[0]) and field[0].lower() != "host")
        found = plan_of_origin(replace(plan, headers=public), parse_target(f"{origin}/"))
    if trust is None:
        return found
    if trust.verify is not None:
        found = replace(
            found, insecure=not trust.verify, cacert=trust.verify if isinstance(trust.verify, str) else None
        )
    if trust.cert:
        cert, key = (trust.cert, "") if isinstance(trust.cert, str) else trust.cert
        found = replace(found, tls=replace(found.tls, certs=(cert,), keys=(key,) if key else ()))
    return found
