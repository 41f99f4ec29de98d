"""Durations and counts as people write them. Does not know what they are used for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

MAX_DURATION_NS = 24 * 3600 * NS_PER_S
"""The longest duration that an option or a policy can have."""

_UNITS_NS = {"ns": 1, "us": NS_PER_US, "µs": NS_PER_US, "ms": NS_PER_MS, "s": NS_PER_S, "m": 60 * NS_PER_S}
_ROUNDING = 1e-6  # of a digit that is written: 2% is 0.02, which is a little more in binary
_MAX_SHOWN = 60  # characters of a text that is wrong
_MAX_DECIMALS = 3
_MAX_SMALL_DECIMALS = 9
_FAR = 1_000  # times a value: an interval that reaches farther has another unit
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m)")


def parse_duration_ns(text: str) -> int:
    """Turn `500ms`, `2s`, `1m` or `1m30s` into nanoseconds; a bare `0` needs no unit.

    Raises ValueError, with one line for people, when the text is not a duration.
    """
    text = text.strip()
    if text == "0":
        return 0
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text[:_MAX_SHOWN]!r} is not a duration; write it like 500ms, 2s or 1m")
    try:
        return sum(round(float(number) * _UNITS_NS[unit]) for number, unit in parts)
    except OverflowError:
        raise ValueError(f"{text[:20]}… is longer than any run") from None


def percent_text(share: float) -> str:
    """Write a share as a percentage of up to ten digits: 2%, 0.5%."""
    return f"{100 * share:.10g}%"


def share_text(share: float, decimals: int = 1) -> str:
    """Write a share that was measured as a percentage: 12.3%, <0.1%, >99.9%.

    Only nothing is 0%, and only all is 100%.
    """
    if share in (0, 1):
        return f"{share:.0%}"
    text, step = f"{share:.{decimals}%}", 10.0**-decimals
    if share > 0 and not float(text[:-1]):
        return f"<{step:.{decimals}f}%"
    return f">{100 - step:.{decimals}f}%" if share < 1 and float(text[:-1]) == 100 else text


def margin_text(share: float) -> str:
    """Write within what share something is known: ±3.1%, ±12%, ±0.04%. Rounded up, so that it is known that well."""
    percent = 100 * share
    if percent > 1_000:
        return "±1,000% or more"
    decimals = 0 if percent > 10 else 1 if percent > 1 else 2
    return f"±{math.ceil(percent * 10**decimals - _ROUNDING) / 10**decimals:,.{decimals}f}%"


def duration_text(value_ns: int) -> str:
    """Write nanoseconds so that `parse_duration_ns` reads the same again: 2s, 1500ms, 1s1ns."""
    for unit, size_ns in (("s", NS_PER_S), ("ms", NS_PER_MS), ("us", NS_PER_US)):
        if value_ns % size_ns == 0:
            return f"{value_ns // size_ns}{unit}"
    whole_s, rest_ns = divmod(value_ns, NS_PER_S)
    return f"{whole_s}s{rest_ns}ns" if whole_s else f"{rest_ns}ns"


def format_duration(value_ns: float) -> str:
    """Write nanoseconds with three significant digits and the unit that suits: 412 µs, 1.25 ms, 2.00 s."""
    unit, size_ns, decimals = _three_digits(value_ns)
    return f"{value_ns / size_ns:,.{decimals}f} {unit}"


def format_estimate(value_ns: float, interval_ns: Sequence[float] | None, *, sign: bool = False) -> tuple[str, str]:
    """Write a time and its interval with one unit: 0.99 ms and [0.94, 1.11].

    The interval is empty where there is none. The largest number has three significant digits; the others have as many
    decimals, and more only where they would be 0 otherwise. An interval of two rounds can reach so far that the value
    would be next to 0 in its unit; each number then has a unit of its own: 399 µs and [0 ns, 17.5 s]. sign: a plus too.
    """
    numbers = (value_ns, *(interval_ns or ()))
    largest_ns = max(map(abs, numbers))
    if interval_ns and not sign and 0 < value_ns * _FAR < largest_ns:
        return format_duration(value_ns), f"[{', '.join(map(format_duration, interval_ns))}]"
    unit, size_ns, decimals = _three_digits(largest_ns)
    scaled = [number / size_ns for number in numbers]
    while decimals < _MAX_DECIMALS and any(number and not float(f"{number:.{decimals}f}") for number in scaled):
        decimals += 1
    first, *bounds = (_in_decimals(number, decimals, sign=sign) for number in scaled)
    return f"{first} {unit}", f"[{', '.join(bounds)}]" if bounds else ""


def format_number(value: float, max_decimals: int, *, sign: bool = False) -> str:
    """Write a number with `max_decimals` decimals; fewer where it has three digits without them: 1.004, 10.3, 1,234.

    One that would be 0 then has as many as show two of its digits: 0.00042.
    """
    if value and not float(f"{value:.{max_decimals}f}"):
        max_decimals = min(_MAX_SMALL_DECIMALS, 1 - math.floor(math.log10(abs(value))))
    return _in_decimals(value, max_decimals, sign=sign)


def _in_decimals(value: float, max_decimals: int, *, sign: bool) -> str:
    size = abs(value)
    decimals = min(max_decimals, 0 if size >= 99.95 else 1 if size >= 9.995 else max_decimals)
    return f"{value:{'+' if sign else ''},.{decimals}f}"


def _three_digits(value_ns: float) -> tuple[str, int, int]:
    """The unit in which a time has three significant digits, the unit's size (ns), and how many decimals that takes."""
    for unit, size_ns in (("s", NS_PER_S), ("ms", NS_PER_MS), ("µs", NS_PER_US)):
        size = abs(value_ns / size_ns)
        if size >= 0.9995:
            return unit, size_ns, 2 if size < 9.995 else 1 if size < 99.95 else 0
    return "ns", 1, 0


def plain_number(value: float, digits: int = 6) -> str:
    """A number with this many significant digits, and never fewer than its integer part has: 1,000,000, not 1e+06."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:,.{digits}g}"


def rate_text(rate_rps: float) -> str:
    """A rate without its unit, with three digits where it is low: 12,345, 40.2, 0.4."""
    return plain_number(rate_rps, 3)


def count(number: int, noun: str) -> str:
    """Write `1 user`, `1,000 users`, `2 policies`."""
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("cy") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
