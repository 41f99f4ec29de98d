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
_DIGITS, _PERCENT_DIGITS, _ALL_DIGITS = 5, 4, 17
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
    if isinstance(value, str | bool):
        return str(value).lower() if isinstance(value, bool) else value, ""
    limit = float(gate.limit)
    if gate.field.is_time:
        return _time_texts(value, interval, limit, gate.field.unit)
    write = _percent if gate.gate.limit.is_percent else _plain
    bounds = ", ".join(write(bound, limit) for bound in interval or ())
    return write(value, limit), f"[{bounds}]" if bounds else ""


def _time_texts(value: float, interval: Sequence[float] | None, limit: float, unit: str) -> tuple[str, str]:
    size_ns = TIME_UNITS_NS[unit]
    interval_ns = interval and [bound * size_ns for bound in interval]
    text, bounds = format_estimate(value * size_ns, interval_ns)
    if value != limit and text == format_estimate(limit * size_ns, interval_ns)[0]:
        shown = text.rsplit(" ", 1)[1]
        scale = size_ns / TIME_UNITS_NS[shown.replace("µ", "u")]
        text = f"{value * scale:,.{_digits(value * scale, limit * scale, _DIGITS)}g} {shown}"
    return text, bounds


def _percent(value: float, limit: float) -> str:
    return f"{100 * value:.{_digits(100 * value, 100 * limit, _PERCENT_DIGITS)}g}%"


def _plain(value: float, limit: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    digits = _digits(value, limit, _DIGITS)
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM and digits == _DIGITS else f"{value:,.{digits}g}"


def _digits(value: float, limit: float, least: int) -> int:
    """As many as tell a value from a limit near to it."""
    digits = least
    while digits < _ALL_DIGITS and value != limit and f"{value:.{digits}g}" == f"{limit:.{digits}g}":
        digits += 1
    return digits
