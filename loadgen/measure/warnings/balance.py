"""Warnings about how connections and requests are spread over addresses and backends, and about replicas that change.

Counts nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from loadgen.measure.stats.fairness import jain_index
from loadgen.model.address_spread import FIRST
from loadgen.model.balance_summary import BalanceSummary
from loadgen.model.block_facts import BlockFacts
from loadgen.model.endpoint import ConnectRule
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.run_record import EnvironmentRecord, RunWarning, TargetRecord
from loadgen.model.units import NS_PER_S
from loadgen.model.warning_codes import WarningCode

_UNEVEN = 0.9
"""Jain's index below this is warned of: of three replicas that is one with half of what the others have."""
_MIN_REQUESTS = 100
"""Of each place on average: fewer are uneven by chance."""
_MOSTLY = 0.5
"""The share of an interval's requests above which an address that failed them counts as down."""

Warnings = Iterator[tuple[WarningCode, str]]


def balance_warnings(policy: ConnectionPolicy, summary: PolicySummary) -> Warnings:
    """Warnings about one policy."""
    found = summary.get("balance")
    if not found:
        return
    yield from _uneven("backend", [(one["backend"], one["requests"]) for one in found["backends"]], policy)
    if not summary["connections"].get("races"):  # where addresses race, the fastest is meant to have all
        yield from _uneven("address", [(one["address"], one["requests"]) for one in found["addresses"]], policy)
    yield from _failing(found)


def address_warnings(blocks: Iterable[BlockFacts], plan: Plan, environment: EnvironmentRecord) -> list[RunWarning]:
    """Warnings about the addresses of the targets' names. environment: has what was found out about these."""
    unused = (unused_addresses(plan, one, whose) for whose, one in _named_targets(plan, environment))
    found = chain(change_warnings(blocks), *unused, shared_ends(plan))
    return [{"code": code.value, "message": message} for code, message in found]


def change_warnings(blocks: Iterable[BlockFacts]) -> Warnings:
    """Look-ups in mid-run that found other addresses than those before."""
    each = list(blocks)
    balances = [balance for block in each if (balance := block.get("balance"))]
    of_several = [block for block in each if not block.get("balance") and "load_begun_ns" in block]
    begun = [*(one["begun_ns"] for one in balances), *(block["load_begun_ns"] for block in of_several)]
    begun_ns = min(begun, default=0)
    noted = [*(one["changes"] for one in balances), *(block.get("address_changes", []) for block in of_several)]
    told: dict[str, str] = {}
    for change in sorted(chain.from_iterable(noted), key=lambda change: change["at_ns"]):
        moved = ((change["added"], "came"), (change["removed"], "went"))
        what = "; ".join(f"{', '.join(names)} {word}" for names, word in moved if names)
        whose = f"{change['origin']}: " if "origin" in change else ""
        if told.get(whose) == what:  # another worker has looked the name up later
            continue
        told[whose] = what
        at_s = (change["at_ns"] - begun_ns) / NS_PER_S
        yield WarningCode.ADDRESSES_CHANGED, f"{whose}the name's addresses changed {at_s:.1f} s into the load: {what}"


def _named_targets(plan: Plan, environment: EnvironmentRecord) -> Iterator[tuple[str, TargetRecord | None]]:
    """Each of several targets or origins, with what names it; one alone, or a proxy on the way to all, has no name."""
    target, origins = environment.get("target"), environment.get("origins", {})
    first = {plan.target.base_url: target} if target is not None else {}
    several = environment.get("targets") or (first | origins if origins else {})
    through_proxy = {(*one.get("addresses", ()), one["port"]): one for one in several.values() if "proxy" in one}
    yield from (("", one) for one in through_proxy.values())
    yield from ((f"{name}: ", one) for name, one in several.items() if "proxy" not in one)
    if not several:
        yield "", target


def unused_addresses(plan: Plan, target: TargetRecord | None, whose: str = "") -> Warnings:
    """The name has more addresses than the one that all connections went to. whose: what the message begins with."""
    addresses = target.get("addresses", []) if target else []
    tries_one = plan.addressing.addresses == FIRST and plan.addressing.happy_eyeballs_ns is None
    if not tries_one or len(addresses) < 2:
        return
    versions = {one: ipaddress.ip_address(one.partition("%")[0]).version for one in addresses}
    others = [one for one in addresses[1:] if versions[one] == versions[addresses[0]]]
    if others:
        yield (
            WarningCode.ONE_OF_SEVERAL_ADDRESSES,
            f"{whose}the name has {len(others) + 1} addresses, and all connections went to the first, {addresses[0]}; "
            f"--addresses all uses {', '.join(others)} too",
        )


def shared_ends(plan: Plan) -> Warnings:
    """One rule of --connect-to sends connections for several hosts to the same end, as it would with curl."""
    sent: dict[tuple[ConnectRule, str], dict[str, None]] = {}
    for target in plan.each_target:
        rule = plan.addressing.rule_for(target)
        if rule is not None:
            sent.setdefault((rule, f"{plan.addressing.endpoint(target)}"), {})[target.authority] = None
    for (rule, end), names in sent.items():
        if len(names) > 1:
            yield (
                WarningCode.CONNECT_TO_SHARED,
                f"--connect-to {rule} sent connections for {len(names)} hosts to {end}, each under its own name: "
                f"{', '.join(names)}; HOST1:PORT1:HOST2:PORT2 sends those of one host alone",
            )


def _uneven(what: str, counted: Sequence[tuple[str, int]], policy: ConnectionPolicy) -> Warnings:
    total = sum(requests for _, requests in counted)
    index = jain_index([requests for _, requests in counted])
    if index is None or index >= _UNEVEN or total < _MIN_REQUESTS * len(counted):
        return
    name, least = min(counted, key=lambda one: one[1])
    plural = "backends" if what == "backend" else "addresses"
    keeps = (
        "; a connection keeps the one that it was opened to: lifetime:T and recycle:K give new ones their share"
        if policy.reuses and not policy.limits
        else ""
    )
    yield (
        WarningCode.UNEVEN_BALANCE,
        f"{len(counted)} {plural} answered as unevenly as {index * len(counted):.1f} equal ones (evenness "
        f"{index:.2f}): {name or 'responses without the field'} {least:,} of {total:,} requests{keeps}",
    )


def _failing(found: BalanceSummary) -> Warnings:
    """Addresses that fail while others answer: a replica that is down, or went in mid-run."""
    for place, one in enumerate(found["addresses"]):
        tried = one["requests"] + one["failed"]
        others = sum(other["requests"] for other in found["addresses"]) - one["requests"]
        lost = [
            line for line in found["intervals"] if line["failed"][place] > _MOSTLY * max(1, line["requests"][place])
        ]
        if not one["failed"] or not others or not lost:
            continue
        first = lost[0]
        yield (
            WarningCode.ADDRESS_FAILING,
            f"{one['address']} failed {one['failed']:,} of {tried:,} requests, from "
            f"{first['at_ns'] / NS_PER_S:.1f} s of round {first['round'] + 1} on, while others answered",
        )
