"""The `loadgen` command inside the test's own process: its exit code, and the text on both output streams.

For refusals, help, and whatever starts nothing that has to be a process. Knows no command.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from loadgen import cli


class Result(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


def run_cli(*arguments: str, cwd: Path | None = None, stdin: str = "") -> Result:
    """Run `loadgen ARGUMENTS` here, in the folder `cwd`; an error that the command does not catch is raised."""
    with ExitStack() as stack:
        stack.enter_context(chdir(cwd or Path()))
        stack.enter_context(mock.patch.object(sys, "argv", ["loadgen", *arguments]))
        source = stack.enter_context(_stream())
        source.write(stdin)
        source.seek(0)
        # The command puts guarded streams on the descriptors of these, so each must be a real file.
        output, errors = stack.enter_context(_stream()), stack.enter_context(_stream())
        code = _exit_code(source, output, errors)
        return Result(code, _text(output), _text(errors))


def _exit_code(source: io.TextIOWrapper, output: io.TextIOWrapper, errors: io.TextIOWrapper) -> int:
    with (
        mock.patch.object(sys, "stdin", source),
        mock.patch.object(sys, "stdout", output),
        mock.patch.object(sys, "stderr", errors),
    ):
        try:
            cli.main()
        except SystemExit as error:
            return int(error.code or 0)
        finally:
            for stream in (sys.stdout, sys.stderr):  # the guarded ones
                stream.flush()


@contextmanager
def _stream() -> Iterator[io.TextIOWrapper]:
    with tempfile.TemporaryFile() as file, io.TextIOWrapper(file, encoding="utf-8", line_buffering=True) as stream:
        yield stream


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
