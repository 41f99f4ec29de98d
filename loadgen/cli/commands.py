"""The commands and their options. Each hands over to a module of its own, imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import loadgen
from loadgen import core
from loadgen.cli import EXIT_DONE, Outcome
from loadgen.cli.help import TaughtGroup
from loadgen.cli.option_types import OptionType
from loadgen.cli.options import given_options, resolve_options, with_options
from loadgen.cli.server_options import with_server_options
from loadgen.cli.target_names import named_urls
from loadgen.model.file_value_types import FilePath
from loadgen.model.option import COMPARE, DIFF, HISTORY, PROBE, REPORT, SWEEP
from loadgen.model.plan_value_types import Policies
from loadgen.model.value_types import Choice, Duration, Whole

_DURATION, _FILE, _WHOLE = OptionType(Duration()), OptionType(FilePath()), OptionType(Whole())

SHELLS = ("bash", "zsh", "fish")
_EXIT_CODES = (
    "Exit codes: 0 done, 1 a gate failed, 2 bad usage or plan, 3 the target gave no valid sample, 4 results saved but "
    "standard output or an export failed, 130 interrupted with partial results saved."
)


@click.group(
    cls=TaughtGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EXIT_CODES,
)
@click.version_option(loadgen.__version__, message=f"%(prog)s, version %(version)s (core: {core.running()})")
def cli() -> None:
    """What does HTTP connection reuse buy you? Compare connection policies against one target."""


@cli.command(short_help="Compare connection policies, against one target or several.")
@with_options(COMPARE)
@click.pass_context
def compare(ctx: click.Context, /, **options: Any) -> Outcome:
    """Run the same load under each policy, in turns, and report the difference with its uncertainty.

    Without URL the embedded target is started in a process of its own and compared against. Several URLs are targets
    that take turns too: each policy is compared between them.
    """
    from loadgen.cli.report import present
    from loadgen.cli.run_setup import compare as run

    resolved = resolve_options(ctx, options)
    finished = run(resolved)
    return Outcome(EXIT_DONE) if finished is None else present(finished, resolved)


@cli.command(short_help="Compare over a grid: users, rates, gaps, sizes ...")
@with_options(SWEEP)
@click.pass_context
def sweep(ctx: click.Context, /, **options: Any) -> Outcome:
    """Compare over a grid of users, rates, requests per connection, gaps, response sizes, or handshakes of TLS.

    Each combination is a cell; the cells take turns as the policies of `compare` do. --resume goes on with a sweep
    that was interrupted.
    """
    from loadgen.cli.sweep import resume, run

    if options["resume"] is not None:
        return resume(named_urls(options), given_options(ctx))
    return run(resolve_options(ctx, options))


@cli.command(short_help="Find out what a server really does with connections.")
@with_options(PROBE)
def probe(**options: Any) -> Outcome:
    """The connection doctor: find out by trying what a server, or the whole chain before it, does with connections.

    It asks gently, and says beforehand how much at most. Without URL the embedded target is started and audited.
    """
    from loadgen.cli.probe import probe as run

    return run(options)


@cli.command(short_help="Explain connection policies, with pictures.")
@click.argument("name", required=False, type=OptionType(Policies()))
def policies(name: str | None) -> Outcome:
    """Explain every connection policy, or the one called NAME, with a picture of its connections.

    NAME may have several parts, like recycle:3+gap:2s.
    """
    from loadgen.cli.policies import show_policies

    return show_policies(name)


@cli.command(short_help="Rebuild summary, charts and report of a run.")
@click.argument("run", type=_FILE)
@with_options(REPORT)
def report(run: Path, **options: Any) -> Outcome:
    """Rebuild summary, charts and report of RUN from its samples, also of a run that was cut off."""
    from loadgen.cli.report import rebuild

    return rebuild(run, options)


@cli.command(short_help="What changed from one run to another, beyond noise.")
@click.argument("old", type=_FILE, nargs=-1, required=True, metavar="OLD...")
@click.argument("new", type=_FILE)
@with_options(DIFF)
def diff(old: tuple[Path, ...], new: Path, **options: Any) -> Outcome:
    """Say what changed from the run OLD to the run NEW, under each policy and between policies, beyond noise.

    Several OLD runs of the same plan show how far whole runs lie apart by chance, which one run can't show of itself.
    """
    from loadgen.cli.diff import diff as run

    return run(old, new, options)


@cli.command(short_help="The headline of each run in a folder.")
@click.argument("folder", type=_FILE)
@with_options(HISTORY)
def history(folder: Path, **options: Any) -> Outcome:
    """Show what reuse bought in each run in FOLDER, such as results/, as a table and a chart.

    Runs of unlike plans are in groups of their own; where the environment changed is said.
    """
    from loadgen.cli.history import history as run

    return run(folder, options)


@cli.command(short_help="Serve the embedded target by hand.")
@with_server_options
@click.pass_context
def target(ctx: click.Context, /, **options: Any) -> Outcome:
    """Serve the embedded target: HTTP/1.1, HTTP/2 and WebSocket, with its own account at /.loadgen/stats."""
    if options["null"]:
        from loadgen.cli.null_target import serve_null

        return serve_null(options, given_options(ctx))
    from loadgen.cli.target import serve

    return serve(options, given_options(ctx))


@cli.command(short_help="Measure what this machine and the generator cost by themselves.")
@click.option("--quick", is_flag=True, help="A third of the time, coarser figures, and no rates over TLS.")
@click.option("--json", is_flag=True, help="Print the calibration as JSON and nothing else on standard output.")
@click.option("--quiet", is_flag=True, help="Show no progress and no table.")
def calibrate(**options: Any) -> Outcome:
    """Measure this machine's floor: what a request costs where the target answers at once.

    Later runs on this machine use it: in tables, in charts, and to say which differences are too small for it. It lies
    in $XDG_CACHE_HOME/loadgen, or ~/.cache/loadgen.
    """
    from loadgen.cli.calibrate import calibrate as run

    return run(**options)


@cli.command(short_help="Print a script that completes commands, options, policies and runs.")
@click.argument("shell", type=OptionType(Choice(*SHELLS)))
def completion(shell: str) -> Outcome:
    """Print what SHELL has to read so that it completes commands, options, policies and folders of runs."""
    from loadgen.cli.completion import script

    click.echo(script(cli, shell))
    return Outcome(EXIT_DONE)


# Everything behind NAME is Locust's, -h included; so click must not look for options of ours there.
@cli.command(
    "locust",
    short_help="Run Locust with a locustfile of loadgen.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--list", "as_list", is_flag=True, help="List the locustfiles, a line each.")
@click.argument("name", required=False)
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def run_locust(as_list: bool, name: str | None, locust_options: tuple[str, ...]) -> int:
    """Run Locust with the locustfile NAME that comes with loadgen, or with a file of your own; LOCUST_OPTIONS go to
    Locust.

    `loadgen locust compare -h` shows Locust's options and those of loadgen's users.
    """
    from loadgen.cli.locust import list_locustfiles, run_locustfile

    if as_list:
        return list_locustfiles()
    return run_locustfile(name, locust_options)


@cli.command(
    "ui", short_help="Start Locust's web UI for a comparison.", context_settings={"ignore_unknown_options": True}
)
@click.argument("locust_options", nargs=-1, type=click.UNPROCESSED)
def start_ui(locust_options: tuple[str, ...]) -> int:
    """Start Locust's web UI with the locustfile `compare`, or with the one whose name or path stands before
    LOCUST_OPTIONS, which, such as --web-port, go to Locust.

    Only this machine can reach it, unless --web-host says otherwise. Without --host the embedded target is started.
    """
    from loadgen.cli.locust import start_web_ui

    return start_web_ui(locust_options)


@cli.command("_export", hidden=True)
@click.argument("directory", type=_FILE)
@click.argument("name")
@click.argument("path", type=_FILE)
def export(directory: Path, name: str, path: Path) -> Outcome:
    """Write PATH in the format NAME, of what lies in DIRECTORY; nothing is made anew, and the run may still go on."""
    from loadgen.cli.exports import export_folder

    return export_folder(directory, name, path)
