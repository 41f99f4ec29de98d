"""The model's value types as parameter types of the command line. Knows no option by name."""

from __future__ import annotations

from typing import Any

import click

from loadgen.model.value_types import Choice, ValueType


class OptionType(click.ParamType[Any]):
    """Reads a text as its value type does; anything else is a value already."""

    def __init__(self, value_type: ValueType) -> None:
        self._type = value_type
        self.name = value_type.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._type.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """For the help page: the words of a choice."""
        return f"[{'|'.join(self._type.words)}]" if isinstance(self._type, Choice) else super().get_metavar(param, ctx)
