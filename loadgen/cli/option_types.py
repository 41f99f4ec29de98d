"""The model's value types as parameter types of the command line. Knows no option by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from loadgen.model.value_types import Choice, ValueType

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


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

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What a shell offers for a value."""
        from loadgen.cli.completion import completions  # asked by a shell alone

        return completions(self._type, param.name, incomplete)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        """For the help page: the words of a choice."""
        return f"[{'|'.join(self._type.words)}]" if isinstance(self._type, Choice) else super().get_metavar(param, ctx)


class HeadedOption(click.Option):
    """An option that knows under which heading of the help it stands."""

    def __init__(self, *declarations: Any, heading: str, **attributes: Any) -> None:
        super().__init__(*declarations, **attributes)
        self.heading = heading
