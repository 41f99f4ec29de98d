"""Help that teaches: options under headings, examples, and an answer to what people are used to from other tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from loadgen.cli.examples import EXAMPLES
from loadgen.cli.option_types import HeadedOption


class TaughtCommand(click.Command):
    """A command whose help has its options by group and its examples."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options under their headings, in the order in which the command has them; `Options` comes last."""
        records: dict[str, list[tuple[str, str]]] = {}
        others: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and not isinstance(parameter, click.Argument):
                if isinstance(parameter, HeadedOption):
                    records.setdefault(parameter.heading, []).append(record)
                else:
                    others.append(record)
        for heading, rows in {**records, "Options": others}.items():
            _write_list(formatter, heading, rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, then what else stands there."""
        write_examples(formatter, str(self.name))
        super().format_epilog(ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Answer a flag that is known from another tool. Raises click.UsageError."""
        written = tuple(args)  # the parser empties the list
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from loadgen.cli.habits import answer  # a long table, which only a mistake needs

            words = answer(error.option_name, written) or _whose(error.option_name, ctx)
            if words:
                raise click.UsageError(words, ctx) from None
            raise
        except click.MissingParameter as error:
            if not isinstance(error.param, click.Argument):
                raise
            arguments = [one.make_metavar(ctx) for one in self.get_params(ctx) if isinstance(one, click.Argument)]
            line = " ".join(("loadgen", str(ctx.info_name), *arguments))
            raise click.UsageError(f"{error.param.make_metavar(ctx)} is missing; write: {line}", ctx) from None


def _whose(flag: str, ctx: click.Context) -> str:
    """Which other commands have this option; empty where none has."""
    group = ctx.parent.command if ctx.parent else None
    if not isinstance(group, click.Group):
        return ""
    names = [
        name
        for name, command in group.commands.items()
        if not command.hidden and any(flag in (*one.opts, *one.secondary_opts) for one in command.params)
    ]
    return f"{flag} is for {', '.join(names)}" if names else ""


class TaughtGroup(click.Group):
    """The commands; without one it shows its help, and that is no mistake."""

    command_class = TaughtCommand

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Nothing at all is a question for help; an option in the place of a command is answered."""
        try:
            return super().parse_args(ctx, args or ["--help"])
        except click.NoSuchOption as error:
            flag = error.option_name
            from loadgen.cli.habits import OF_THE_PROGRAM

            if flag in OF_THE_PROGRAM:
                raise click.UsageError(f"{flag}: {OF_THE_PROGRAM[flag]}", ctx) from None
            raise click.UsageError(f"which command? write: loadgen compare {flag} ...", ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the command that a URL, or another tool's command, in its place is for. Raises click.UsageError."""
        word = args[0]
        if word not in self.commands:
            from loadgen.cli.habits import COMMANDS

            if "://" in word:
                raise click.UsageError(f"which command? write: loadgen compare {word}", ctx)
            if word in COMMANDS:
                raise click.UsageError(f"there is no command {word}; write: loadgen {COMMANDS[word]}", ctx)
            if not word.startswith("-"):
                raise click.NoSuchCommand(word, possibilities=self._public_commands(), ctx=ctx)
        return super().resolve_command(ctx, args)

    def _public_commands(self) -> list[str]:
        return [name for name, command in self.commands.items() if not command.hidden]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As above."""
        write_examples(formatter, "")
        super().format_epilog(ctx, formatter)


def write_examples(formatter: click.HelpFormatter, name: str) -> None:
    """The examples of a command: each as it is written, and below that what it does."""
    examples: Mapping[str, str] = EXAMPLES.get(name, {})
    if not examples:
        return
    with formatter.section("Examples"):
        for line, meaning in examples.items():
            # As it stands: a line that is broken can't be copied.
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            formatter.indent()
            formatter.write_text(meaning)
            formatter.dedent()


def _write_list(formatter: click.HelpFormatter, heading: str, rows: list[Any]) -> None:
    if rows:
        with formatter.section(heading):
            formatter.write_dl(rows)
