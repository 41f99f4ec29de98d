"""The table of options as parameters of a command, and their values once the plan file is read too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from loadgen.cli.option_types import HeadedOption, OptionType
from loadgen.cli.plan_reader import merge, read_plan
from loadgen.cli.target_names import named_urls
from loadgen.model.option import Option, OptionGroup
from loadgen.model.options import options_of
from loadgen.model.value_types import Flag

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


def with_options(name: str) -> Callable[[Command], Command]:
    """Give a command the options that the table has for it, in the order of their groups."""
    groups = list(OptionGroup)
    options = sorted(options_of(name), key=lambda option: groups.index(option.group))

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            for parameter in _parameters(option):
                command = parameter(command)
        return command

    return decorate


def resolve_options(ctx: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """The values of a command's options, those of its plan file included. Raises PlanError."""
    given = named_urls({name: options[name] for name in given_options(ctx)})
    options = named_urls(options)
    if options.get("plan") is None:
        return merge(options, given, {})
    name = str(ctx.command.name)
    path = Path(options["plan"])
    return merge(options, given, read_plan(path, name))


def given_options(ctx: click.Context) -> dict[str, str]:
    """What stands on the command line: each parameter's name, and how it is written."""
    return {
        param.name: str(param.name) if isinstance(param, click.Argument) else max(param.opts, key=len)
        for param in ctx.command.params
        if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    }


def _parameters(option: Option) -> list[Decorator]:
    if option.positional:
        number = -1 if option.is_many else 1
        return [click.argument(option.name, required=False, type=OptionType(option.type), nargs=number)]
    own = _flag(option) if isinstance(option.type, Flag) else _valued(option)
    return [own, _former(option)] if option.renamed else [own]


def _flag(option: Option) -> Decorator:
    flag = f"--{option.key}/--no-{option.key}" if option.default else f"--{option.key}"
    return click.option(
        *([option.short] if option.short else []), flag, option.name, cls=HeadedOption, heading=option.group.value,
        is_flag=True, default=option.default, show_default=bool(option.default), help=option.help,
    )  # fmt: skip


def _valued(option: Option) -> Decorator:
    default = None if option.is_implicit else option.default
    return click.option(
        *([option.short] if option.short else []),
        f"--{option.key}",
        option.name,
        cls=HeadedOption,
        heading=option.group.value,
        type=OptionType(option.type),
        default=default or None if option.type.is_repeated else default,
        show_default=not option.type.is_repeated and default is not None,
        multiple=option.type.is_repeated,
        metavar=option.metavar,
        help=option.help,
    )


def _former(option: Option) -> Decorator:
    """The option's former name, which is refused."""

    def refuse(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            raise click.UsageError(
                f"--{option.renamed} is called --{option.key} now; write --{option.key} {value}", ctx
            )

    return click.option(f"--{option.renamed}", expose_value=False, hidden=True, callback=refuse)
