"""The user classes of a locustfile that run on loadgen's engine, and the policies of each. Imports no Locust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from loadgen.drive.clients.scenario_policy import scenario_policy
from loadgen.model.exceptions import PlanError
from loadgen.model.policy import ConnectionPolicy, parse_policies

ClassPolicies = dict[str, tuple[str, ...]]
"""Names of user classes, each with the names of the policies that its users alternate between."""


class UserKind(Enum):
    """How the users of a class send requests; the class attribute `loadgen_kind` says it."""

    SWARM = "swarm"  # one fixed request, sent by the engine
    SCENARIO = "scenario"  # what the tasks of a scenario in Python send


def kind_of(user_class: type) -> UserKind | None:
    """None for a class whose requests do not run on the engine."""
    return getattr(user_class, "loadgen_kind", None)


def policies_of(classes: Sequence[Any], policies: str) -> ClassPolicies:
    """The classes that run on the engine, by name. policies: for classes that name none of their own.

    Raises PlanError for an unknown policy, one that these users can't have, and classes that can't run together.
    """
    parsed = {}
    for one in classes:
        match kind_of(one):
            case UserKind.SWARM:
                parsed[one.__name__] = parse_policies(one.policy or policies)
            case UserKind.SCENARIO:
                parsed[one.__name__] = (scenario_policy(one.policy),)
    return _checked(parsed)


def _checked(parsed: Mapping[str, tuple[ConnectionPolicy, ...]]) -> ClassPolicies:
    """The names of the policies. All classes take turns together, so they need equally many, in the same order."""
    found = {name: tuple(policy.name for policy in policies) for name, policies in parsed.items()}
    if len({len(policies) for policies in found.values()}) > 1:
        raise PlanError(
            f"users who alternate between policies can't run beside others who don't: {_listed(found)}; give each "
            "class as many policies, or choose some of the classes"
        )
    turns = {(policy, turn) for policies in found.values() for turn, policy in enumerate(policies)}
    if len({policy for policy, _ in turns}) < len(turns):
        raise PlanError(
            f"user classes have the same policies in another order: {_listed(found)}; give them in one order"
        )
    return found


def _listed(found: ClassPolicies) -> str:
    return ", ".join(f"{name} has {' and '.join(policies)}" for name, policies in found.items())
