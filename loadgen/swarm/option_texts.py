"""An option's value as Locust has it: a text, because its start form gives those; several values are lines of one.

Flags are true or false, and whole numbers with a default of their own stay numbers. Knows no option by name, and no
form.
"""

from __future__ import annotations

from argparse import (
    Action,
    ArgumentError,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    _AppendAction,
)
from collections.abc import Callable
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.option import Option
from loadgen.model.value_types import Choice, Flag, Whole


def argument_of(option: Option) -> dict[str, Any]:
    """What a parser's `add_argument` needs to take the option."""
    value = _default(option)
    if isinstance(option.type, Flag):
        return {"action": BooleanOptionalAction, "default": True} if value else {"action": "store_true"}
    if option.type.is_repeated:
        return {"action": AppendLine, "default": "", "metavar": option.metavar}
    if isinstance(option.type, Whole):
        return {"type": _reader(option), "default": value}
    if isinstance(option.type, Choice):
        return {"choices": option.type.words, "default": value}
    return {"default": value}


def value_of(option: Option, text: Any) -> Any:
    """The option's value that a text, a flag or a number means; None where nothing was said. Raises PlanError."""
    if not isinstance(text, str):
        return text
    try:
        if option.type.is_repeated:
            return tuple(map(option.type.read, lines(text))) or None
        return option.type.read(text) if text or _default(option) else None
    except ValueError as error:
        raise PlanError(f"--{option.key}: {error}") from None


def lines(text: str) -> list[str]:
    """Several values, each of which is a line."""
    return [line for line in map(str.strip, text.splitlines()) if line]


def _default(option: Option) -> Any:
    """What stands where nothing was said; where that is nothing, an empty text says nothing either."""
    assert option.locust is not None
    if isinstance(option.type, Whole) and option.is_implicit:
        return None
    return option.default if option.locust.default is None else option.locust.default


class AppendLine(_AppendAction):
    """Adds a line to the option's text. A parser of configuration files gives a list to subclasses of _AppendAction."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        setattr(namespace, self.dest, "\n".join(filter(None, (getattr(namespace, self.dest), str(values)))))


def _reader(option: Option) -> Callable[[str], Any]:
    """Reads the option's text, with its own line where that is wrong."""

    def read(text: str) -> Any:
        try:
            return option.type.read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return read


class Renamed(Action):
    """A former name, which is refused."""

    def __call__(self, _parser: ArgumentParser, _options: Namespace, value: Any, *_more: Any) -> None:
        raise ArgumentError(
            None, f"{self.option_strings[0]} is called --{self.const} now; write --{self.const} {value}"
        )
