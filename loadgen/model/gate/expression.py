"""A gate as people write it, `close.latency_ms.p99 > 50`, as a value. Does not know which fields there are."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.units import parse_duration_ns

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_EXAMPLE = "write it like 'close.latency_ms.p99 > 50'"
_MAX_CHARACTERS = 500
# The last operator counts. Nothing before it may hold one, so that `a > b > c` is refused.
_FORM = re.compile(r"([^<>=!]+)(>=|<=|==|!=|>|<)([^<>=!]+)")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(%?)", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """What stands behind the operator: one of the three."""

    number: float | None = None
    """A bare number; of a percentage the share, 0.01 for 1%."""
    is_percent: bool = False
    duration_ns: int | None = None
    word: str = ""
    """Anything else: a text, true or false."""


@dataclass(frozen=True, slots=True)
class GateExpression:
    """The run fails where this holds."""

    text: str
    """The whole, with one blank on each side of the operator."""
    path: str
    """What stands before the operator, without blanks: a field, which the name of a policy or a pair may precede."""
    operator: str
    limit: Limit

    def holds(self, value: Any, limit: Any) -> bool:
        """Whether the value is on the failing side of the limit."""
        return OPERATORS[self.operator](value, limit)


def parse_gate(text: str) -> GateExpression:
    """Read one gate. Raises PlanError with one line for people."""
    shown = " ".join(text.split())
    if len(shown) > _MAX_CHARACTERS:
        raise PlanError(f"the gate {shown[:40]!r}… has {len(shown):,} characters; {_MAX_CHARACTERS} is the most")
    found = _FORM.fullmatch(shown)
    if found is None:
        raise PlanError(f"the gate {shown!r} can't be read; {_hint(shown)}")
    left, sign, right = (part.strip() for part in found.groups())
    if not left or not right:
        raise PlanError(f"the gate {shown!r} lacks a side; {_EXAMPLE}")
    return GateExpression(f"{left} {sign} {right}", "".join(left.split()), sign, _limit(right, shown))


def _hint(text: str) -> str:
    if "<" not in text and ">" not in text and re.search(r"[^=!]=[^=]", text):
        return "to compare for equality write =="
    return f"{_EXAMPLE}, with one of {' '.join(OPERATORS)}"


def _limit(text: str, shown: str) -> Limit:
    number = _NUMBER.fullmatch(text)
    if number is not None:
        is_percent = bool(number[2])
        # The nearest to what is written; a quotient may be another.
        exact = f"{number[1]}e-2" if is_percent and "e" not in number[1].lower() else number[1]
        value = float(exact) / (100 if is_percent and exact == number[1] else 1)
        if abs(value) == float("inf"):
            raise PlanError(f"the gate {shown!r}: {text} is no number that a field can have")
        return Limit(number=value, is_percent=is_percent)
    if text[0].isdigit() or text[0] == "." or text[0] in "+-":
        try:
            return Limit(duration_ns=_duration_ns(text))
        except ValueError:
            raise PlanError(
                f"the gate {shown!r}: {text!r} is no limit; write a number, a percentage like 1% or a time like 50ms"
            ) from None
    if _WORD.fullmatch(text):
        return Limit(word=text)
    raise PlanError(f"the gate {shown!r}: {text!r} is no limit; write a number, a percentage, a time or a word")


def _duration_ns(text: str) -> int:
    """A difference of times may be negative."""
    joined = "".join(text.split())
    size_ns = parse_duration_ns(joined[1:] if joined.startswith(("+", "-")) else joined)
    return -size_ns if joined.startswith("-") else size_ns
