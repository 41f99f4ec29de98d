"""Makes a man page of the help of all commands: .ci/man.py [FILE], build/man/loadgen.1 if unset.

man -l build/man/loadgen.1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import loadgen
from loadgen.cli.commands import cli
from loadgen.cli.examples import EXAMPLES


def page() -> str:
    """The page in the language of man(7)."""
    lines = [f'.TH LOADGEN 1 "" "loadgen {loadgen.__version__}"', ".SH NAME"]
    lines += [
        "loadgen \\- what does HTTP connection reuse buy you?",
        ".SH SYNOPSIS",
        ".B loadgen",
        r"\fICOMMAND\fR [\fIOPTIONS\fR]",
    ]
    lines += [".SH DESCRIPTION", _text(cli.help or "")]
    lines += _examples("")
    for name, command in cli.commands.items():
        if not command.hidden:
            lines += _command(name, command)
    lines += [".SH EXIT STATUS", _text((cli.epilog or "").removeprefix("Exit codes: "))]
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=click.Context(cli, info_name="loadgen"))
    yield f'.SH "LOADGEN {name.upper()}"'
    yield f".B loadgen {name}"
    yield _text(" ".join(command.collect_usage_pieces(context)))
    for paragraph in (command.help or "").split("\n\n"):
        yield ".PP"
        yield _text(paragraph)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            yield ".TP"
            yield rf"\fB{_escaped(record[0])}\fR"
            yield _text(record[1])
    yield from _examples(name)


def _examples(name: str) -> Iterator[str]:
    for line, meaning in EXAMPLES.get(name, {}).items():
        yield from (".PP", _text(meaning), ".RS", ".EX", _escaped(line), ".EE", ".RE")


def _text(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    """As man(7) has it: a backslash and a dash are themselves, and no line begins with a request."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", r"\e").replace("-", r"\-"), flags=re.MULTILINE)


def main() -> None:
    """Write the page."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "build/man/loadgen.1")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(), encoding="utf-8")
    print(file)


if __name__ == "__main__":
    main()
