"""The fields of a result that a gate may ask for, read off the types of the result, and their values in one result.

A field is found by the words of its path, so that `latency_ms.p99` and `latency.p99` both are `latency_ns.p99`. Knows
no result by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints, is_typeddict

from loadgen.model.units import NS_PER_MS, NS_PER_S, NS_PER_US

TIME_UNITS_NS = {"ns": 1, "us": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S}
_UNITS = {*TIME_UNITS_NS, "rps", "bytes"}
_INTERVAL = "_ci95"
_BOUNDS = {"low": 0, "high": 1}
_SECONDS = "seconds"
_WITHOUT_UNIT = ("ratio", "p_value")
_CLASS = re.compile(r"[1-5]xx")


class ValueKind(Enum):
    """What a field's value is."""

    NUMBER = "a number"
    TRUTH = "true or false"
    TEXT = "a text"
    ANY = "any of these"  # known once there is a value


class Name(NamedTuple):
    """A written path by its words."""

    words: tuple[str, ...]
    """Without units; the last one without the s of a plural."""
    unit: str
    """`ms` of `latency_ms.p99`; empty where no unit is named."""


def name_of(path: str) -> Name:
    """The words of a path, split at dots and underscores."""
    words = [word for word in re.split(r"[._]", path.lower()) if word]
    unit = next((word for word in words if word in _UNITS), "")
    kept = [word for word in words if word not in _UNITS]
    return Name((*kept[:-1], _singular(kept[-1])) if kept else (), unit)


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word  # tls and dns are no plurals


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a result."""

    path: tuple[str, ...]
    kind: ValueKind
    words: tuple[str, ...]
    unit: str = ""
    """A unit of time, `rps` or `bytes`; empty where it has none."""
    is_whole_number: bool = False
    is_sum: bool = False
    """The path leads to counts by their names, and their sum is meant."""
    is_counted: bool = False
    """One of such counts; a name that is not there has the count 0."""
    interval: tuple[tuple[str, ...], ...] = ()
    """The paths of the two bounds of its interval; empty where it has none."""
    choices: tuple[str, ...] = ()
    """Of a text: the words that it may be; empty where it may be any."""
    part_of: str = ""
    """The count that this one is a part of, so that a percentage of it can be meant; empty where there is none."""

    @property
    def text(self) -> str:
        return ".".join(self.path)

    @property
    def is_time(self) -> bool:
        return self.unit in TIME_UNITS_NS

    def value(self, record: Mapping[str, Any]) -> Any:
        """Its value in one result; None where it has none there."""
        found = _at(record, self.path[:-1])
        if found is None:
            return None
        value = _entry(found, self.path[-1])
        if self.is_sum:
            return sum(value.values()) if value is not None else None
        if self.is_counted and value is None:
            return _of_class(found, self.path[-1])
        return value

    def share(self, record: Mapping[str, Any]) -> float | None:
        """Its value as a share of what it is a part of; None where that is nothing."""
        value, whole = self.value(record), record.get(self.part_of)
        return None if value is None or not whole else value / whole

    def interval_in(self, record: Mapping[str, Any]) -> list[float] | None:
        """The interval of its value; None where it has none there."""
        bounds = [_at(record, path) for path in self.interval]
        return bounds if bounds and None not in bounds else None


def fields_of(
    form: Any, names: Mapping[str, Iterable[str]], part_of: Mapping[str, str] | None = None
) -> tuple[Field, ...]:
    """The fields of a TypedDict and those inside it; lists of records are left out.

    names: for a key with an object whose keys are no fields, such as `errors`, which keys that may have.
    part_of: for a count, or counts by name, the key of the count that they are a part of.
    """
    return tuple(_Walk(names, part_of or {}).fields(form, ()))


class _Walk:
    """A walk over the types."""

    def __init__(self, names: Mapping[str, Iterable[str]], part_of: Mapping[str, str]) -> None:
        self._names = names
        self._part_of = part_of

    def fields(self, form: Any, above: tuple[str, ...]) -> Iterator[Field]:
        hints = {key: _without_none(hint) for key, hint in get_type_hints(form).items()}
        owners = {_owner(key, hints): key for key in hints if key.endswith(_INTERVAL)}
        for key, hint in hints.items():
            if key.endswith(_INTERVAL):
                yield from self._bounds((*above, key), _owner(key, hints))
            else:
                bounds = [(*above, owners[key], bound) for bound in _BOUNDS] if key in owners else []
                yield from self._of((*above, key), hint, tuple(bounds))

    def _of(self, path: tuple[str, ...], hint: Any, interval: tuple[tuple[str, ...], ...]) -> Iterator[Field]:
        if is_typeddict(hint):
            yield from self.fields(hint, path)
        elif get_origin(hint) is dict:
            yield from self._entries(path, get_args(hint)[1])
        elif hint in (int, float):
            yield self._field(path, interval=interval, is_whole_number=hint is int)
        elif hint is bool:
            yield self._field(path, ValueKind.TRUTH)
        elif hint is str:
            yield self._field(path, ValueKind.TEXT)
        elif get_origin(hint) is Literal:
            yield self._field(path, ValueKind.TEXT, choices=get_args(hint))

    def _entries(self, path: tuple[str, ...], hint: Any) -> Iterator[Field]:
        names = self._names.get(path[-1], ())
        if is_typeddict(hint):
            for name in names:
                yield from self.fields(hint, (*path, name))
            return
        yield self._field(path, is_whole_number=True, is_sum=True)
        for name in names:
            yield self._field((*path, name), is_whole_number=True, is_counted=True)

    def _bounds(self, path: tuple[str, ...], owner: str) -> Iterator[Field]:
        # The key of an interval may lack the unit that its value's key has.
        unit = _unit_of((*path[:-1], owner))
        for bound in _BOUNDS:
            yield self._field((*path, bound), unit=unit)

    def _field(
        self, path: tuple[str, ...], kind: ValueKind = ValueKind.NUMBER, unit: str | None = None, **more: Any
    ) -> Field:
        if unit is None:
            unit = _unit_of(path) or ("s" if path[-1] == _SECONDS else "")
        return Field(path, kind, name_of(".".join(path)).words, unit, part_of=self._part_of.get(path[0], ""), **more)


def _unit_of(path: tuple[str, ...]) -> str:
    """The unit that a path names; the ratio of two times has none, and neither has its p value."""
    return "" if path[-1] in _WITHOUT_UNIT else name_of(".".join(path)).unit


def _without_none(hint: Any) -> Any:
    """Of `int | None` int; a union of more than that is no type of a field."""
    kept = [one for one in get_args(hint) if one is not NoneType]
    return kept[0] if len(kept) == 1 and NoneType in get_args(hint) else hint


def _owner(key: str, hints: Mapping[str, Any]) -> str:
    """The key of the value that an interval is of, such as `latency_p50_delta_ns`."""
    base = key.removesuffix(_INTERVAL)
    return next((one for one in (base, f"{base}_ns") if one in hints), base)


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        record = _entry(record, key)
        if record is None:
            return None
    return record


def _entry(record: Any, key: str) -> Any:
    if isinstance(record, list):
        return record[_BOUNDS[key]]
    return record.get(key)


def _of_class(counts: Mapping[str, int], name: str) -> int:
    """The count of a class of statuses, 5xx; 0 for a name that is not there."""
    return sum(count for key, count in counts.items() if key[0] == name[0]) if _CLASS.fullmatch(name) else 0
