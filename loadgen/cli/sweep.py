"""`loadgen sweep`: a comparison over a grid, which can be resumed where it was cut off."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED, Outcome
from loadgen.cli.consent import ask_consent
from loadgen.cli.credentials import GIVEN_AGAIN, with_secrets
from loadgen.cli.dry_run import estimate_line
from loadgen.cli.experiment import Experiment
from loadgen.cli.live_output import LiveOutput
from loadgen.cli.machine import check_machine
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.report import FinishedRun, finish, present
from loadgen.cli.run_notes import CUT_SHORT, without
from loadgen.cli.run_setup import prepare
from loadgen.cli.run_validation import load_record, recorded_run
from loadgen.cli.stdio import print_error
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError
from loadgen.model.options import option_named
from loadgen.model.plan import Plan
from loadgen.show.export.requested import check_exports

# Options that may be given with --resume: how to report, and what the recorded plan can't hold.
_WITH_RESUME = {"resume", "quiet", "json", "yes", "server_pid", "no_charts", "export", "metrics_port"} | GIVEN_AGAIN


def run(options: dict[str, Any]) -> Outcome:
    """Run the sweep. Raises PlanError or TargetError."""
    plan = build_plan(options)
    experiment = prepare(plan, options)
    if experiment is None:
        return Outcome(EXIT_DONE)
    _announce(estimate_line(plan), options)
    return _present(experiment.run(), options)


def resume(options: dict[str, Any], given: dict[str, str]) -> Outcome:
    """Run the rest of a sweep, in its folder. `given`: the options on the command line. Raises as `run` does."""
    directory: Path = options["resume"]
    check_exports(options)
    store = RunStore.open(directory, to_change=True)
    excluded = next((written for name, written in given.items() if name not in _WITH_RESUME), None)
    if excluded:
        raise PlanError(f"--resume goes on with the plan of {directory}; {excluded} can't be given with it")
    facts = load_record(store)
    plan, embedded = recorded_run(facts, str(directory))
    plan = replace(with_secrets(plan, options), server_pid=_server(plan, embedded, options["server_pid"]))
    check_machine(plan, embedded)
    done, first_connection = store.resume(tuple(cell.name for cell in plan.cells), plan.max_samples)
    quiet, draws = options["quiet"], not options["no_charts"]
    if len(done) == len(plan.cells) * plan.load.rounds:
        facts["notes"] = without(facts["notes"], CUT_SHORT)
        return present(finish(store, facts, "done", draws=draws), options)
    ask_consent(plan.each_target, plan.used_proxy, embedded=embedded, agreed=options["yes"], addressing=plan.addressing)
    _announce(estimate_line(plan, len(done)), options)
    experiment = Experiment(
        plan, store, facts, is_new=False, quiet=quiet, draws=draws, done=sorted(done),
        first_connection=first_connection, live=LiveOutput(options),
    )  # fmt: skip
    return _present(experiment.run(), options)


def _present(finished: FinishedRun, options: dict[str, Any]) -> Outcome:
    outcome = present(finished, options)
    if outcome.code == EXIT_INTERRUPTED:
        print_error(f"go on with: loadgen sweep --resume {shlex.quote(str(finished.store.directory))}")
    return outcome


def _announce(text: str, options: dict[str, Any]) -> None:
    if not options["quiet"] and not options["json"]:
        print_error(text)


def _server(plan: Plan, embedded: bool, given: int | None) -> int | None:
    """The server's process now; the embedded target's is not known yet. A plan without one can't get it half-way."""
    if embedded:
        if given is not None:
            raise PlanError(f"--server-pid is for a URL; {option_named('server_pid').url_only}")
        return None
    if plan.server_pid is None and given is not None:
        raise PlanError("--resume goes on with the plan as it stands; it has no --server-pid")
    return plan.server_pid if given is None else given
