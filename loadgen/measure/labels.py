"""How places in a sweep, and counts, are written for people. Measures nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadgen.model.units import count


def plain_number(value: float, digits: int = 6) -> str:
    """A number with so many significant digits, but all those before its point: 1,000,000 and never 1e+06."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:,.{digits}g}"


# How a cell's value of an axis is written.
_WRITTEN: dict[str, Callable[[Any], str]] = {
    "base": str,
    "users": lambda users: count(users, "user"),
    "rate": lambda rate: f"{plain_number(rate)}/s",
    "recycle": lambda text: f"recycle:{text}",
    "gap": lambda text: f"gap:{text}",
    "size": lambda size: f"{size:,} B",
}


def labels(places: list[dict[str, Any]]) -> list[str]:
    """A name for each of several places in a sweep, by what they differ in; by all they have where they don't."""
    keys = [key for key in _WRITTEN if any(place.get(key) is not None for place in places)]
    differing = [key for key in keys if len({place.get(key) for place in places}) > 1] or keys
    return [
        " · ".join(_WRITTEN[key](place[key]) for key in differing if place.get(key) is not None) or "all"
        for place in places
    ]
