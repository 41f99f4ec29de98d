"""`loadgen sweep`: a comparison over a grid, which can be resumed where it was cut off."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED, Outcome
from loadgen.cli.consent import ask_consent
from loadgen.cli.dry_run import estimate_line
from loadgen.cli.experiment import Experiment
from loadgen.cli.machine import check_machine
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.report import FinishedRun, finish, load_record, present
from loadgen.cli.run_notes import CUT_SHORT, without
from loadgen.cli.run_setup import prepare
from loadgen.cli.run_validation import recorded_run
from loadgen.cli.stdio import print_error
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import parse_header
from loadgen.model.options import option_named
from loadgen.model.plan import Plan
from loadgen.model.proxy import HIDDEN, Proxy, parse_proxy

# Options that may be given with --resume: how to report, and what the recorded plan can't hold.
_WITH_RESUME = {"resume", "quiet", "json", "yes", "header", "proxy", "server_pid", "no_charts"}


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
    store = RunStore.open(directory, to_change=True)
    excluded = next((written for name, written in given.items() if name not in _WITH_RESUME), None)
    if excluded:
        raise PlanError(f"--resume goes on with the plan of {directory}; {excluded} can't be given with it")
    facts = load_record(store)
    plan, embedded = recorded_run(facts, str(directory))
    plan = replace(_with_secrets(plan, options["header"]), server_pid=_server(plan, embedded, options["server_pid"]))
    plan = replace(plan, proxy=_proxy(plan.proxy, options["proxy"]))
    check_machine(plan)
    done, first_connection = store.resume(tuple(cell.name for cell in plan.cells))
    quiet, draws = options["quiet"], not options["no_charts"]
    if len(done) == len(plan.cells) * plan.load.rounds:
        facts["notes"] = without(facts["notes"], CUT_SHORT)
        return present(finish(store, facts, "done", draws=draws), options)
    ask_consent(plan, embedded, agreed=options["yes"])
    _announce(estimate_line(plan, len(done)), options)
    experiment = Experiment(
        plan, store, facts, is_new=False, quiet=quiet, draws=draws, done=sorted(done), first_connection=first_connection
    )
    return _present(experiment.run(), options)


def _present(finished: FinishedRun, options: dict[str, Any]) -> Outcome:
    outcome = present(finished, options)
    if outcome.code == EXIT_INTERRUPTED:
        print_error(f"go on with: loadgen sweep --resume {shlex.quote(str(finished.store.directory))}")
    return outcome


def _announce(text: str, options: dict[str, Any]) -> None:
    if not options["quiet"] and not options["json"]:
        print_error(text)


def _with_secrets(plan: Plan, lines: tuple[str, ...]) -> Plan:
    """The plan with the credentials that its run did not record. Raises PlanError unless just those are given."""
    given = {name.lower(): value for name, value in map(parse_header, lines)}
    hidden = {name.lower(): name for name, value in plan.headers if value == HIDDEN}
    for low, name in hidden.items():
        if low not in given:
            raise PlanError(f"the run did not record its credential {name}; give it again with -H '{name}: ...'")
    for low in given:
        if low not in hidden:
            raise PlanError(f"--resume goes on with the plan as it stands; the header {low!r} can't be added to it")
    headers = tuple((name, given[name.lower()] if value == HIDDEN else value) for name, value in plan.headers)
    return replace(plan, headers=headers)


def _proxy(recorded: Proxy | None, given: str | None) -> Proxy | None:
    """The run's proxy, with its credentials as they are given again. Raises PlanError where it would be another one."""
    if given is None:
        if recorded is not None:
            recorded.check_credentials()
        return recorded
    proxy = parse_proxy(given)
    fits = recorded is not None and recorded.is_hidden and str(recorded) == str(proxy)
    if not fits or proxy.user is None or proxy.is_hidden:
        raise PlanError("--resume goes on with the plan as it stands; --proxy can only give its credentials again")
    return proxy


def _server(plan: Plan, embedded: bool, given: int | None) -> int | None:
    """The server's process now; the embedded target's is not known yet. A plan without one can't get it half-way."""
    if embedded:
        if given is not None:
            raise PlanError(f"--server-pid is for a URL; {option_named('server_pid').url_only}")
        return None
    if plan.server_pid is None and given is not None:
        raise PlanError("--resume goes on with the plan as it stands; it has no --server-pid")
    return plan.server_pid if given is None else given
