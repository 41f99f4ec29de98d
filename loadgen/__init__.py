"""loadgen: what does HTTP connection reuse buy, here, and how sure is that?

    import loadgen

    run = loadgen.compare("http://127.0.0.1:8080/", policies=["persistent", "close"], users=20, block="1s")
    print(run.verdict)
    run.figure("phases").savefig("phases.png")

Importing this package changes nothing in the interpreter: no monkey-patching, no signal handler, no output. Only where
its compiled core does not run, it puts a finder of its own modules first (`loadgen/core.py`). The command itself has
signal handlers from here on (`loadgen/startup.py`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from loadgen import startup

startup.guard()

from loadgen import core  # noqa: E402 -- a signal may come from here on

core.choose()

from loadgen.model.exceptions import PlanError, TargetError  # noqa: E402 -- modules are found as `choose` says

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Unpack

    from loadgen.cli.api import CompareOptions, Run, Urls

__all__ = ["PlanError", "Run", "TargetError", "__version__", "compare", "load_run"]

COMMAND = (sys.executable, "-P", *core.interpreter_options(), "-m", "loadgen")
"""How our own command is started as a child process, whatever lies in the current folder."""

__version__ = "0.1.0"


def compare(url: Urls | None = None, **options: Unpack[CompareOptions]) -> Run:
    """Run the same load under each policy, in turns, and return the run with its summary, samples and charts.

    It does what `loadgen compare` does, and saves the same files in `results/<name>/` or `out`. The options are those
    of the command line, named as in a plan file but with underscores: `policies`, `users`, `rate`, `rounds`, `block`,
    `headers`, `max_connections` ... `CompareOptions` lists them. A duration is a text like "500ms" or a timedelta.
    Without `url` the embedded target is started and compared against. Several URLs, as a list or by name, are targets
    that take turns as policies do.

    Prints nothing unless `quiet=False`. Ctrl-C ends the run, saves what was measured, and raises KeyboardInterrupt.
    Raises PlanError where an option is wrong, TargetError where the target gives no valid sample.
    """
    from loadgen.cli import api

    return api.compare(url, options)


def load_run(path: str | Path) -> Run:
    """The run in the folder `path`, as `compare` returned it. A run that was cut off is summarised first.

    Raises PlanError where there is none, or where it can't be read.
    """
    from loadgen.cli import api

    return api.load_run(path)


def __getattr__(name: str) -> Any:
    """`Run` is imported when it is first used: it needs libraries that the package itself does not."""
    if name == "Run":
        from loadgen.cli.api import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
