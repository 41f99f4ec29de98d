"""The first moments of the `loadgen` command: a signal ends it with one line while modules are still being loaded.

Only where this process is that command: `import loadgen` from Python changes no handler. Knows no command; once one
runs, `loadgen.cli.signals` decides.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""The signals that end a command: Ctrl-C, kill, the end of its terminal, Ctrl-backslash."""

EXIT_INTERRUPTED = 130


def guard() -> None:
    """Let the signals end this process at once, if it is the command."""
    if _is_command():
        for number in ENDING_SIGNALS:
            if not is_ignored(number):
                signal.signal(number, end_at_once)


def is_ignored(number: int) -> bool:
    """Whether the caller wants this signal to have no effect: `nohup` says so of SIGHUP.

    A shell ignores SIGINT and SIGQUIT for a command in the background, which does not mean those that are sent to it.
    """
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def end_at_once(number: int, _frame: FrameType | None) -> None:
    """A signal handler: one line, no traceback, nothing else."""
    try:  # noqa: SIM105 # contextlib is not loaded yet
        os.write(2, f"loadgen: {what_ended(number)}\n".encode())
    except OSError:  # standard error is closed
        pass
    os._exit(EXIT_INTERRUPTED)


def what_ended(number: int) -> str:
    """What to say of a command that a signal ended."""
    return "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"


def _is_command() -> bool:
    if sys.argv[:1] == ["-m"]:  # runpy still looks for the module
        module = sys.orig_argv.index("-m") + 1 if "-m" in sys.orig_argv else 0
        return sys.orig_argv[module : module + 1] == ["loadgen"]
    return "".join(sys.argv[:1]).rpartition("/")[2] == "loadgen"
