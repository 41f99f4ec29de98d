"""The first and the last moments of the `loadgen` command: a signal ends it with one line while modules are still being
loaded, and neither numpy's threads nor the end of the interpreter cost it time.

Only where this process is that command: `import loadgen` from Python changes nothing. Knows no command; once one runs,
`loadgen.cli.signals` decides.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""The signals that end a command: Ctrl-C, kill, the end of its terminal, Ctrl-backslash."""

EXIT_INTERRUPTED = 130


_is_here = False
"""This process is that command."""


def guard() -> None:
    """Let the signals end this process at once, if it is the command.

    And let numpy start no threads for products of large matrices, which we don't have: to start them, and to end them,
    costs as much processor time as half of our other imports. An environment that says otherwise is right.
    """
    global _is_here
    _is_here = _is_command()
    if _is_here:
        for number in ENDING_SIGNALS:
            if not is_ignored(number):
                signal.signal(number, end_at_once)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def leave(code: int) -> NoReturn:
    """End this process; the command does so without freeing all it has loaded, which takes as long as to load it.

    What was written must be flushed. A profiler or a debugger gets a usual end.
    """
    if _is_here and not _is_observed():
        os._exit(code)
    sys.exit(code)


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


def _is_observed() -> bool:
    """A profiler, a debugger or a measurement of coverage follows this process."""
    if sys.getprofile() or sys.gettrace():
        return True
    monitoring = getattr(sys, "monitoring", None)  # from CPython 3.12 on
    return monitoring is not None and any(map(monitoring.get_tool, range(6)))


def _is_command() -> bool:
    if sys.argv[:1] == ["-m"]:  # runpy still looks for the module
        module = sys.orig_argv.index("-m") + 1 if "-m" in sys.orig_argv else 0
        return sys.orig_argv[module : module + 1] == ["loadgen"]
    return "".join(sys.argv[:1]).rpartition("/")[2] == "loadgen"
