"""What cannot be combined: parts of a policy with each other, and a policy with a run. Knows no part by name."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.model.exceptions import PlanError
from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts import PARTS
from loadgen.model.policy.policy import ConnectionPolicy


def check_parts(policy: ConnectionPolicy, words: Mapping[str, Part]) -> None:
    """Raise PlanError where the parts, by their words, have no meaning together."""
    for word, part in words.items():
        if part.protocols and policy.protocol not in part.protocols:
            raise PlanError(f"policy {policy.name!r}: {word} is for {', '.join(part.protocols)} alone")
    traits = _traits(policy)
    for name, trait in traits.items():
        for other, why in trait.excludes.items():
            if other in traits:
                raise PlanError(f"policy {policy.name!r}: {name} cannot be combined with {other} ({why})")


def check_run(policy: ConnectionPolicy, conditions: RunConditions) -> None:
    """Raise PlanError where the policy cannot run under these conditions."""
    for trait in _traits(policy).values():
        objection = trait.objects(conditions)
        if objection:
            raise PlanError(f"the policy {policy.name!r} {objection}")


def _traits(policy: ConnectionPolicy) -> dict[str, Trait]:
    """The traits that the policy has, by name, whichever of its parts give them to it."""
    known = {part.trait.name: part.trait for part in PARTS.values() if part.trait is not None}
    return {name: trait for name, trait in known.items() if trait.holds(policy)}
