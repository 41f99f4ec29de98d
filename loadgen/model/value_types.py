"""How the value of an option is written and read: on a command line, in a plan file, in a recorded run.

A value takes three forms, and a type knows the way between them:

    text of the command line -- read --> option's value -- make --> plan's value -- write --> plan file
                                                                                 -- record --> run.json -- restore -->

Here are the plain types. Knows no option by name, and no library of the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.model.json_types import (
    JSON_NUMBER,
    JSON_TEXT,
    JSON_TRUTH,
    JSON_WHOLE,
    JsonType,
    list_of,
    or_null,
)
from loadgen.model.units import duration_text, parse_duration_ns


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
    holds_secrets = False
    """A value may hold a credential, so no message repeats it."""

    def read(self, text: str) -> Any:
        """The option's value. Raises ValueError with one line for people."""
        return text

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


class Words(ValueType):
    """A text that is not empty: an empty one mostly comes from a shell variable that was not set."""

    def read(self, text: str) -> Any:
        if text == "":
            raise ValueError("it is empty")
        return text


class Flag(ValueType):
    """On or off."""

    file_types = (bool,)
    file_words = "true or false"
    json = JSON_TRUTH


class Whole(ValueType):
    """A whole number."""

    name = "integer"
    file_types = (int,)
    file_words = "a whole number"
    json = JSON_WHOLE

    def read(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a valid integer.") from None


class OptionalWhole(Whole):
    """A whole number that may be absent."""

    json = or_null(JSON_WHOLE)


class Rate(ValueType):
    """Arrivals per second; 0 is a closed loop."""

    name = "float"
    file_types = (int, float)
    file_words = "a number"
    json = JSON_NUMBER

    def read(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a valid float.") from None

    def write(self, value: float) -> float | None:
        return (int(value) if value == int(value) else value) if value else None


class Duration(ValueType):
    """`500ms`, `2s`, `1m` as nanoseconds."""

    name = "duration"
    file_words = 'a duration with its unit in quotes, like "2s"'
    json = JSON_WHOLE

    def read(self, text: str) -> int:
        return parse_duration_ns(text)

    def write(self, value: int) -> str:
        return duration_text(value)


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
        is_number = value.isascii() and value.isdigit() and value == str(int(value))
        return int(value) if is_number else value


class Choice(ValueType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"{text!r} is not one of {', '.join(map(repr, self.words))}.")
        return text


class FilePath(Words):
    """The name of a file or folder, which need not exist."""

    name = "path"

    def read(self, text: str) -> Path:
        return Path(super().read(text))


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
            raise ValueError(f"{text!r} names no value; write them like 1,10,100")
        return found

    def write(self, value: tuple[Any, ...]) -> list[Any]:
        return [self.item.write(one) for one in value]
