"""The command line: the only room that prints or exits. Heavy imports wait until a command needs them.

Each command and each child process has a module of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from loadgen.startup import EXIT_INTERRUPTED as EXIT_INTERRUPTED
from loadgen.startup import leave

WORKER = "_worker"
"""The argument that makes this process a worker of another command."""
COMPLETE_VARIABLE = "_LOADGEN_COMPLETE"
"""In the environment of a command that a shell runs to complete a line."""
EXIT_DONE, EXIT_GATE, EXIT_USAGE, EXIT_TARGET, EXIT_OUTPUT = 0, 1, 2, 3, 4


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    saved: Path | None = None
    """The folder with the results, if there are any."""


def main() -> NoReturn:
    """Run the `loadgen` command and exit by the contract's codes; each error that a user can make is one line."""
    try:
        from loadgen.cli import signals
        from loadgen.cli.stdio import guard, output_failure, print_error
        from loadgen.model.exceptions import PlanError, TargetError

        run = _worker() if sys.argv[1:2] == [WORKER] else _command()
    except KeyboardInterrupt:  # importing takes long enough for a Ctrl-C
        sys.stderr.write("loadgen: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)

    output = guard()
    outcome = Outcome(EXIT_DONE)
    try:
        with signals.raised():
            outcome = run()
    except PlanError as error:
        print_error(str(error))
        outcome = Outcome(EXIT_USAGE)
    except TargetError as error:
        print_error(str(error))
        outcome = Outcome(EXIT_TARGET)
    except signals.Interruption as error:
        print_error(str(error))
        outcome = Outcome(EXIT_INTERRUPTED, error.saved)
    except KeyboardInterrupt:
        print_error("interrupted")
        outcome = Outcome(EXIT_INTERRUPTED)
    failure = output_failure(output)
    if failure:
        print_error(f"{failure}; the results are saved in {outcome.saved}" if outcome.saved else failure)
    sys.stderr.flush()
    leave(outcome.code or (EXIT_OUTPUT if failure else EXIT_DONE))


def _worker() -> Callable[[], Outcome]:
    """What a worker of another command does: `loadgen _worker FOLDER`, with the plan on standard input.

    It is no command beside the others: to load those, their options and click takes a quarter of a worker's start.
    """
    from loadgen.cli.worker_main import work

    return lambda: work(Path(sys.argv[2]))


def _command() -> Callable[[], Outcome]:
    """Runs the command that the arguments name."""
    import logging

    import click

    from loadgen.cli.commands import cli
    from loadgen.cli.stdio import print_error

    if COMPLETE_VARIABLE in os.environ:
        from loadgen.cli import completion_scripts

        completion_scripts.use()
    # matplotlib complains in several lines where it finds no place for a cache, and works all the same.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)

    def run() -> Outcome:
        try:
            returned: object = cli.main(prog_name="loadgen", standalone_mode=False)
        except click.ClickException as error:
            print_error(error.format_message())
            return Outcome(EXIT_USAGE)
        except click.Abort:
            raise KeyboardInterrupt from None
        # click itself returns an exit code after --help and --version.
        return returned if isinstance(returned, Outcome) else Outcome(EXIT_DONE)

    return run
