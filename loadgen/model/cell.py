"""A cell: the policy, the load and the target of one block. The cells of a sweep are the product of its axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.named_target import NamedTarget
from loadgen.model.policy import ConnectionPolicy, extended, identity
from loadgen.model.request_target import SIZE_FIELD
from loadgen.model.units import count

_MAX_CELLS = 500
_MIN_RATE_RPS, _MAX_RATE_RPS = 0.001, 1_000_000
_OF_POLICY, _OF_LOAD = ("recycle", "gap"), ("users", "rate")
"""Axes whose values become a part of a cell's policy, and those that take the place of the plan's load."""
_NAMED: dict[str, Callable[[Any], str]] = {
    "users": lambda users: count(users, "user"),
    "rate": lambda rate: f"{rate:,.10g}/s",
    "size": lambda size: f"{size:,} B",
    "tls_version": lambda version: f"TLS {version}",
    "groups": str,
}
"""How a cell's name says its value of an axis, in this order; those of its policy stand in the policy's name."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What a sweep varies; an empty axis is not varied."""

    users: tuple[int, ...] = ()
    rate: tuple[float, ...] = ()
    """Arrivals per second."""
    recycle: tuple[str, ...] = ()
    """Requests per connection, as written; `inf` too."""
    gap: tuple[str, ...] = ()
    """Gaps before a connection is used again, as written."""
    size: tuple[int, ...] = ()
    """Bytes of the response's body."""
    tls_version: tuple[str, ...] = ()
    """Versions of TLS that are offered, as written."""
    groups: tuple[str, ...] = ()
    """Groups of the key exchange that are offered, as written."""

    def __post_init__(self) -> None:
        for rate in self.rate:
            check_rate(rate)
        for size in self.size:
            if size < 0:
                raise PlanError(f"--size is {size}; a response can't be smaller than nothing")

    def __bool__(self) -> bool:
        return any(getattr(self, axis.name) for axis in fields(self))

    def of_tls(self) -> tuple[str, ...]:
        """Names of the axes that are about TLS and used."""
        return tuple(name for name in ("tls_version", "groups") if getattr(self, name))

    @property
    def combinations(self) -> int:
        """How many there are of the values."""
        return prod(len(getattr(self, axis.name)) or 1 for axis in fields(self))

    def varied(self) -> tuple[str, ...]:
        """Names of the axes with more than one value."""
        return tuple(axis.name for axis in fields(self) if len(getattr(self, axis.name)) > 1)


NO_AXES = Axes()


def check_rate(rate_rps: float) -> None:
    """Raise PlanError unless a block can have this rate of arrivals."""
    if not _MIN_RATE_RPS <= rate_rps <= _MAX_RATE_RPS:
        raise PlanError(
            f"--rate is {rate_rps:.10g} per second; it must lie between {_MIN_RATE_RPS} and {_MAX_RATE_RPS:,}"
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """A policy under one load."""

    name: str
    policy: ConnectionPolicy
    users: int
    rate_rps: float
    """Arrivals per second; 0 in a closed loop."""
    path: str
    """The request's target."""
    recycle: str | None = None
    """This cell's value of the axis, as written; None without the axis. So with the next four."""
    gap: str | None = None
    size: int | None = None
    tls_version: str | None = None
    groups: str | None = None
    target: str | None = None
    """The name of the target that gets the load; None where the run has one alone."""

    def axis(self, name: str) -> Any:
        """This cell's value of one of Axes."""
        return self.rate_rps if name == "rate" else getattr(self, name)


@lru_cache(8)  # one plan is expanded many times
def cells_of_targets(
    policies: tuple[ConnectionPolicy, ...], users: int, rate_rps: float, targets: tuple[NamedTarget, ...]
) -> tuple[Cell, ...]:
    """Each policy on each target. Raises PlanError where a URL is one of a sweep."""
    if any(SIZE_FIELD in one.target.path for one in targets):
        raise PlanError(f"a URL holds {SIZE_FIELD}, which is for a sweep, and a sweep has one target")
    return tuple(
        Cell(f"{policy.name} · {one.name}", policy, users, rate_rps, one.target.path, target=one.name)
        for policy in policies
        for one in targets
    )


@lru_cache(8)
def cells(
    policies: tuple[ConnectionPolicy, ...], users: int, rate_rps: float, path: str, axes: Axes
) -> tuple[Cell, ...]:
    """Every combination. Raises PlanError where the parts of a policy exclude each other, or there are too many."""
    if not axes.size and SIZE_FIELD in path:
        raise PlanError(f"the URL holds {SIZE_FIELD}, so sizes must be given: loadgen sweep --size 100,10000")
    if not axes:
        return tuple(Cell(policy.name, policy, users, rate_rps, path) for policy in policies)
    if axes.size and SIZE_FIELD not in path:
        raise PlanError(f"--size varies the response, so the URL must hold {SIZE_FIELD} where the size belongs")
    if (total := (len(policies) or 1) * axes.combinations) > _MAX_CELLS:
        raise PlanError(f"the grid has {total:,} cells; {_MAX_CELLS} is the most")
    bases: tuple[str | None, ...] = tuple(policy.name for policy in policies) or (None,)
    names = tuple(axis.name for axis in fields(axes))
    grid = product(bases, *(getattr(axes, name) or (None,) for name in names))
    found = tuple(_cell(base, dict(zip(names, values, strict=True)), users, rate_rps, path) for base, *values in grid)
    _check_distinct(found)
    return found


def _cell(base: str | None, at: dict[str, Any], users: int, rate_rps: float, path: str) -> Cell:
    """The cell at these values of the axes, None where an axis is not varied."""
    policy = extended(base, (f"{axis}:{at[axis]}" for axis in _OF_POLICY if at[axis]))
    named = [say(at[axis]) for axis, say in _NAMED.items() if at[axis] is not None]
    return Cell(
        " · ".join([policy.name, *named]),
        policy,
        users if at["users"] is None else at["users"],
        rate_rps if at["rate"] is None else at["rate"],
        path if at["size"] is None else path.replace(SIZE_FIELD, str(at["size"])),
        **{axis: value for axis, value in at.items() if axis not in _OF_LOAD},
    )


def _check_distinct(found: tuple[Cell, ...]) -> None:
    """Raise PlanError where two cells are the same, however their values are written."""
    seen = set()
    for cell in found:
        kind = (
            *(identity(cell.policy), cell.policy.copy, cell.users, cell.rate_rps),
            *(cell.path, cell.size, cell.tls_version, cell.groups),
        )
        if kind in seen:
            raise PlanError(f"the grid holds {cell.name!r} twice")
        seen.add(kind)
