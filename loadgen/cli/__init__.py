"""The command line: the only room that prints or exits. Heavy imports wait until a command needs them.

It is a package, not a module: each command and each child process has a page of its own.
"""

from __future__ import annotations

import sys
from typing import NoReturn

EXIT_DONE, EXIT_GATE, EXIT_USAGE, EXIT_TARGET, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


def main() -> NoReturn:
    """Run the `loadgen` command and exit by the contract's codes; every error of the user's is one line."""
    import click

    from loadgen.cli.commands import cli
    from loadgen.cli.stdio import complaint, guard
    from loadgen.model.exceptions import PlanError, TargetError

    output = guard()
    try:
        code = cli.main(prog_name="loadgen", standalone_mode=False)
    except click.ClickException as error:
        _complain(error.format_message())
        code = EXIT_USAGE
    except PlanError as error:
        _complain(str(error))
        code = EXIT_USAGE
    except TargetError as error:
        _complain(str(error))
        code = EXIT_TARGET
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        code = EXIT_INTERRUPTED
    failed = complaint(output)
    if failed:
        _complain(failed)
    sys.exit(code or (EXIT_USAGE if failed else EXIT_DONE))


def _complain(message: str) -> None:
    line = " ".join(message.split())
    print(f"loadgen: {line}", file=sys.stderr)  # noqa: T201 # this room prints
