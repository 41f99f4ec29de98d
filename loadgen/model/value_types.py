"""How the value of an option is written and read: on a command line, in a plan file, in a recorded run.

A value takes three forms, and a type knows the way between them:

    text of the command line -- read --> option's value -- make --> plan's value -- write --> plan file
                                                                                 -- record --> run.json -- restore -->

Here are the plain types. Knows no option by name, and no library of the command line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from loadgen.model.bounds import Bounds
from loadgen.model.json_types import (
    JSON_NUMBER,
    JSON_TEXT,
    JSON_TEXTS,
    JSON_TRUTH,
    JSON_WHOLE,
    JsonType,
    list_of,
    or_null,
)
from loadgen.model.number_shorthand import written_out
from loadgen.model.redaction import HIDDEN
from loadgen.model.units import MAX_DURATION_NS, duration_text, format_duration, parse_duration_ns, percent_text

_MAX_SHOWN = 60  # characters of a text that is wrong
# As people write numbers; Python would take `1_000` too, and the digits of every script.
_WHOLE = re.compile(r"[+-]?0*([0-9]+)")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|nan)")
_PERCENT = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+) ?%", re.ASCII)
_MAX_DIGITS = 18


class ValueType:
    """A text as it stands; the base of the others."""

    name = "text"
    """For the help page."""
    is_list = False
    """One text holds several values, separated by commas."""
    is_repeated = False
    """The option may be given several times, and its value is a tuple."""
    file_types: tuple[type, ...] = (str,)
    """The types of one value in a plan file (TOML)."""
    file_words = "a text in quotes"
    json: JsonType = JSON_TEXT
    bounds: Bounds | None = None
    """The range of its values, where they are numbers."""
    holds_secrets = False
    """A value may hold a credential, so no message repeats it."""

    def read(self, text: str) -> Any:
        """The option's value. Raises ValueError with one line for people."""
        return text

    def of_table(self, table: dict[str, Any]) -> Any:
        """The values that a table of a plan file stands for; else the table itself, which is then refused."""
        return table

    def from_folder(self, value: Any, folder: Path) -> Any:
        """The option's value in a plan file that lies in this folder: where it names a file, seen from there."""
        return value

    def make(self, value: Any) -> Any:
        """The plan's value. Raises PlanError."""
        return value

    def write(self, value: Any) -> Any:
        """The plan's value as a plan file holds it; None where that says nothing of it."""
        return value

    def items(self, key: str, value: Any) -> dict[str, Any]:
        """What a plan file says of the plan's value, under this key or others."""
        written = self.write(value)
        return {} if written is None or written == [] else {key: written}

    def record(self, value: Any, *, secrets: bool) -> Any:  # only those that hold secrets look
        """The plan's value as JSON; without `secrets` HIDDEN stands for each credential."""
        return value

    def restore(self, value: Any) -> Any:
        """The inverse of `record`. Raises PlanError."""
        return value

    def redact(self, text: str) -> str:
        """The option's text as people may see it who did not write it: HIDDEN stands for what is secret in it."""
        return HIDDEN if text and self.holds_secrets else text

    def complaint(self, value: Any) -> str:
        """What is wrong with a number outside its range, as the rest of a sentence; empty where it is in range."""
        return "" if self.bounds is None else self.bounds.complaint(value)


class Words(ValueType):
    """A text that is not empty: an empty one mostly comes from a shell variable that was not set."""

    def read(self, text: str) -> Any:
        if text == "":
            raise ValueError("it is empty")
        return text


class RepeatedWords(Words):
    """The same, given any number of times; what the texts mean is checked where they are used."""

    is_repeated = True


class Texts(ValueType):
    """Any number of texts, or of values that `str` makes texts of, as a tuple; none of them is a credential."""

    json = JSON_TEXTS

    def write(self, value: tuple[Any, ...]) -> list[str]:
        return list(map(str, value))

    def record(self, value: tuple[Any, ...], *, secrets: bool) -> list[str]:
        return self.write(value)

    def restore(self, value: list[str]) -> tuple[Any, ...]:
        return tuple(value)


class Flag(ValueType):
    """On or off."""

    file_types = (bool,)
    file_words = "true or false"
    json = JSON_TRUTH


class Whole(ValueType):
    """A whole number, in a range where that has nothing to do with other options."""

    name = "integer"
    file_types = (int,)
    file_words = "a whole number"
    json = JSON_WHOLE

    def __init__(self, minimum: int | None = None, maximum: int = 10**_MAX_DIGITS) -> None:
        self.bounds = None if minimum is None else Bounds(minimum, maximum)

    def read(self, text: str) -> int:
        found = _WHOLE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{shortened(text)!r} is not a valid integer{written_out(text)}.")
        if len(found[1]) > _MAX_DIGITS:
            raise ValueError(f"{shortened(text)} has too many digits")
        return int(text)


class OptionalWhole(Whole):
    """A whole number that may be absent."""

    json = or_null(JSON_WHOLE)

    def complaint(self, value: Any) -> str:
        return "" if value is None else super().complaint(value)


class Rate(ValueType):
    """Arrivals per second; 0 is a closed loop."""

    name = "float"
    file_types = (int, float)
    file_words = "a number"
    json = JSON_NUMBER

    def read(self, text: str) -> float:
        if not _NUMBER.fullmatch(text.strip()):
            raise ValueError(f"{shortened(text)!r} is not a valid float{written_out(text)}.")
        return float(text)

    def write(self, value: float) -> float | None:
        return (int(value) if value == int(value) else value) if value else None


class Percent(ValueType):
    """`2%` as a share, 0.02; None where nothing is said."""

    name = "percent"
    file_words = 'a percentage in quotes, like "2%"'
    json = or_null(JSON_NUMBER)

    def __init__(self, minimum: float, maximum: float) -> None:
        """minimum, maximum: shares."""
        self._minimum, self._maximum = minimum, maximum

    def read(self, text: str) -> float:
        found = _PERCENT.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{shortened(text)!r} is not a percentage; write it like 2%")
        return float(f"{found[1]}e-2")  # the nearest to what is written; a quotient may be another

    def complaint(self, value: Any) -> str:
        if value is None or self._minimum <= value <= self._maximum:
            return ""
        low, high, shown = (percent_text(share) for share in (self._minimum, self._maximum, value))
        return f"is {shortened(shown)}; it must lie between {low} and {high}"

    def write(self, value: float | None) -> str | None:
        return None if value is None else percent_text(value)


class Duration(ValueType):
    """`500ms`, `2s`, `1m` as nanoseconds."""

    name = "duration"
    file_words = 'a duration with its unit in quotes, like "2s"'
    json = JSON_WHOLE

    def __init__(self, minimum_ns: int | None = 0, maximum_ns: int = MAX_DURATION_NS) -> None:
        self.bounds = None if minimum_ns is None else Bounds(minimum_ns, maximum_ns)

    def read(self, text: str) -> int:
        return parse_duration_ns(text)

    def complaint(self, value: Any) -> str:
        return "" if self.bounds is None else self.bounds.complaint(value, _round_duration)

    def write(self, value: int) -> str:
        return duration_text(value)


def _round_duration(value_ns: int) -> str:
    """`10 ms`, where measured values are written `10.0 ms`."""
    return re.sub(r"\.0+(?= )", "", format_duration(value_ns))


class Gap(Duration):
    """A duration that stays as it is written, because a policy's name will hold it."""

    json = JSON_TEXT

    def read(self, text: str) -> Any:
        parse_duration_ns(text)
        return text

    def write(self, value: Any) -> str:
        return str(value)


class Amount(ValueType):
    """A number of requests or `inf`, as written; the policy that it becomes a part of checks it."""

    name = "amount"
    file_types = (int, str)
    file_words = 'a whole number or "inf"'

    def write(self, value: str) -> int | str:
        is_number = len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit() and value == str(int(value))
        return int(value) if is_number else value


class Choice(ValueType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"{shortened(text)!r} is not one of {', '.join(map(repr, self.words))}.")
        return text


class ListOf(ValueType):
    """`1,10,100` as a tuple of such values."""

    is_list = True

    def __init__(self, item: ValueType) -> None:
        self.item = item
        self.name = f"{item.name},..."
        self.file_types = (*item.file_types, str)  # "1,10,100", as on the command line
        self.file_words = item.file_words
        self.json = list_of(item.json)

    def read(self, text: str) -> tuple[Any, ...]:
        found = tuple(self.item.read(one.strip()) for one in text.split(",") if one.strip())
        if not found:
            raise ValueError(f"{shortened(text)!r} names no value; write them like 1,10,100")
        return found

    def write(self, value: tuple[Any, ...]) -> list[Any]:
        return [self.item.write(one) for one in value]


def shortened(text: str) -> str:
    """The beginning of a text that is wrong: enough to find it, and never a screenful."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
