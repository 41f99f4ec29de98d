"""Whether a gate's subjects keep its limit, in figures and in words. Does not know where their records come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadgen.model.gate.resolution import ResolvedGate
from loadgen.model.gate.result_fields import TIME_UNITS_NS
from loadgen.model.gate_summary import GateSummary
from loadgen.model.units import format_estimate

_WHOLE_FROM = 1_000_000
NOT_JUDGED = "there is no value that could be judged"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one subject has in a gate's field."""

    subject: str
    value: Any
    """None where it has no value although it should."""
    interval: Sequence[float] | None = None


def readings_of(gate: ResolvedGate, records: Mapping[str, Mapping[str, Any]]) -> list[Reading]:
    """What each subject of a gate has. records: by subject; the result as a whole is the one without a name."""
    return [_reading(gate, subject, records.get(subject)) for subject in gate.subjects or ("",)]


def _reading(gate: ResolvedGate, subject: str, record: Mapping[str, Any] | None) -> Reading:
    if record is None:
        return Reading(subject, None)
    if gate.is_share:
        return Reading(subject, gate.field.share(record))
    return Reading(subject, gate.field.value(record), gate.field.interval_in(record))


def judge(gate: ResolvedGate, readings: Sequence[Reading]) -> GateSummary:
    """What became of a gate. A subject without a value fails it, and so does a gate without any subject."""
    readings = [one if _compares(one.value, gate.limit) else Reading(one.subject, None) for one in readings]
    failed = [one for one in readings if one.value is None or gate.gate.holds(one.value, gate.limit)]
    decisive = _decisive(gate, failed or readings)
    low, high = decisive.interval or (None, None)
    crosses = None if low is None or high is None else bool(low <= gate.limit <= high)  # type: ignore[operator] # only numbers have intervals
    return {
        "expression": gate.gate.text,
        "field": gate.field.text,
        "subject": decisive.subject,
        "passed": not failed and bool(readings),
        "value": decisive.value,
        "limit": gate.limit,
        "low": low,
        "high": high,
        "could_be_noise": crosses,
        "others_failed": max(0, len(failed) - 1),
        "message": _message(gate, decisive, crosses, max(0, len(failed) - 1)),
    }


def _compares(value: Any, limit: float | str | bool) -> bool:
    """Both are numbers, or texts, or truths."""
    if isinstance(value, bool) or isinstance(limit, bool):
        return type(value) is type(limit)
    return isinstance(value, str) == isinstance(limit, str) and isinstance(value, str | int | float)


def _decisive(gate: ResolvedGate, readings: Sequence[Reading]) -> Reading:
    """The reading that goes first: one without a value, or the farthest on the failing side."""
    if not readings:
        return Reading(gate.subjects[0] if gate.names_one else "", None)
    absent = next((one for one in readings if one.value is None), None)
    if absent is not None or gate.gate.operator in ("==", "!="):
        return absent or readings[0]
    choose = max if gate.gate.operator.startswith(">") else min
    return choose(readings, key=lambda one: one.value)


def _message(gate: ResolvedGate, decisive: Reading, crosses: bool | None, others: int) -> str:
    before = f"{decisive.subject}: " if decisive.subject else ""
    if decisive.value is None:
        return f"{before}{NOT_JUDGED}"
    value, interval = _texts(gate, decisive)
    noise = "; the interval crosses the limit: could be noise" if crosses else ""
    more = f"; {others:,} more {'fails' if others == 1 else 'fail'} too" if others else ""
    return f"{before}{value}{f' {interval}' if interval else ''}{noise}{more}"


def _texts(gate: ResolvedGate, reading: Reading) -> tuple[str, str]:
    """The value and its interval; the latter is empty where there is none."""
    value, interval = reading.value, reading.interval
    if gate.field.is_time:
        size_ns = TIME_UNITS_NS[gate.field.unit]
        return format_estimate(value * size_ns, interval and [one * size_ns for one in interval])
    write = _percent if gate.gate.limit.is_percent else _plain
    return write(value), f"[{', '.join(map(write, interval))}]" if interval else ""


def _percent(value: float) -> str:
    return f"{100 * value:.4g}%"


def _plain(value: Any) -> str:
    """As many digits as tell a value from a limit near to it."""
    if isinstance(value, str | bool):
        return str(value).lower() if isinstance(value, bool) else value
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= _WHOLE_FROM else f"{value:,.5g}"
