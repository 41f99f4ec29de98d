"""How a part of a policy is declared, and what reads a part's parameter. Knows no part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadgen.model.policy.policy import ConnectionPolicy
from loadgen.model.units import MAX_DURATION_NS, NS_PER_MS, format_duration, parse_duration_ns

_MIN_DURATION_NS = NS_PER_MS // 10
_MAX_SHOWN = 24  # characters of a parameter that is wrong


@dataclass(frozen=True, slots=True)
class RunConditions:
    """What a policy has to go with besides its own parts."""

    is_tls: bool
    """The target speaks TLS."""
    is_proxy_tls: bool
    """So does the proxy on the way."""
    peer: str
    """The host that connections go to."""
    peer_is_address: bool
    """It is an IP address, and no name."""
    method: str
    is_idempotent: bool
    """So is the method (RFC 9110 §9.2.2)."""
    retries_stale: bool
    """A request that met a stale connection is sent once more."""
    is_open_loop: bool
    """Requests are due at a rate, whatever became of earlier ones."""
    processes: int
    """Worker processes that share the load."""
    races: bool = False
    """A connection tries several addresses."""


@dataclass(frozen=True, slots=True)
class Trait:
    """A property of a whole policy, and what it cannot be combined with: other traits, or conditions of the run."""

    name: str
    """As messages call it."""
    holds: Callable[[ConnectionPolicy], bool]
    """The policy has this trait."""
    excludes: Mapping[str, str] = field(default_factory=dict)
    """Name of another trait -> why a policy cannot have both. It is enough that one of the two says so."""
    objects: Callable[[RunConditions], str | None] = lambda _conditions: None
    """Why it cannot run so, as the rest of a sentence that begins with the policy; None where it can."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one word of a policy's text does. A new part is one such value in a file of parts/, and a row there."""

    meaning: str
    """One line for people."""
    sets: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ConnectionPolicy that it sets; no other part of the policy may set them too."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Fields that it sets unless another part does."""
    parameter: str = ""
    """How its parameter is written; empty where it has none."""
    parse: Callable[[str], Mapping[str, Any]] | None = None
    """Turns the parameter into fields. Raises ValueError with the reason."""
    omitted: str = ""
    """What its parameter is where none is written; empty where it can't be left out."""
    example: str = ""
    """A policy with it, where its word alone is none."""
    protocols: tuple[str, ...] = ()
    """The protocols in which it has a meaning; empty for all."""
    synonyms: tuple[str, ...] = ()
    """What else people call it, in lower case without `-`, `_`, `.` and `/`; refused with this part's word."""
    trait: Trait | None = None
    """The trait that it gives a policy, where something excludes that."""


def whole_number(text: str, maximum: int) -> int:
    """Raises ValueError unless it is a number from 1 to `maximum`."""
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit() and digits):
        raise ValueError(f"{text[:_MAX_SHOWN]!r} is not a whole number from 1 on")
    if len(digits) > len(str(maximum)) or int(text) > maximum:
        raise ValueError(f"{digits[:_MAX_SHOWN]} is too many; the maximum is {maximum:,}")
    return int(text)


def duration_ns(text: str) -> int:
    """Raises ValueError unless it is a duration from 100 µs to 24 hours."""
    value_ns = parse_duration_ns(text)
    if value_ns < _MIN_DURATION_NS:
        raise ValueError(f"{format_duration(value_ns)} is too short; at least 100 µs is needed")
    if value_ns > MAX_DURATION_NS:
        raise ValueError(f"{text[:_MAX_SHOWN]!r} is too long; at most {format_duration(MAX_DURATION_NS)} is possible")
    return value_ns
