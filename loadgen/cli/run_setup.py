"""From a plan to an experiment that can run: checks, --save-plan and --dry-run, the folder. Starts nothing."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import click

from loadgen.cli.baseline import check_baseline
from loadgen.cli.consent import ask_consent
from loadgen.cli.dry_run import dry_run_lines
from loadgen.cli.experiment import Experiment
from loadgen.cli.live_output import LiveOutput
from loadgen.cli.machine import check_machine
from loadgen.cli.pilot import leaves_load_open
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.plan_writer import save_plan
from loadgen.cli.report import FinishedRun
from loadgen.cli.stdio import print_error
from loadgen.measure.data.calibration_cache import load_calibration
from loadgen.measure.data.environment import environment
from loadgen.measure.data.machine_facts import identity_of
from loadgen.measure.data.store import RunStore
from loadgen.measure.diff.diff_gates import diff_groups
from loadgen.measure.summary.run_gates import resolve_gates
from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_folder_name
from loadgen.model.plan import Plan
from loadgen.model.run_record import EnvironmentRecord, RunRecord
from loadgen.model.unused_options import check_used
from loadgen.show.export.requested import check_exports

_RESULTS = Path("results")


def prepare(plan: Plan, options: dict[str, Any]) -> Experiment | None:
    """Find whatever can be wrong before anything starts, and make the run's folder.

    Returns None where nothing is to be run (--dry-run). Raises PlanError.
    """
    embedded = options["url"] is None
    pilots = leaves_load_open(options)
    if options["dry_run"] and options["json"]:
        raise PlanError("--dry-run prints blocks and measures nothing that --json could print; give one of them")
    check_exports(options)
    check_used(plan)
    check_machine(plan, embedded)
    resolve_gates(plan, of_diff=diff_groups(plan) if options["baseline"] else ())
    name = f"{datetime.now():%Y%m%d-%H%M%S}" if options["name"] is None else options["name"]
    check_folder_name(name, "--name")
    if options["dry_run"]:
        _save_plan(plan, embedded, options, pilots=pilots)
        for line in dry_run_lines(plan, pilots=pilots, audits=options["probe"]):
            click.echo(line)  # each at once: a plan of very many rounds can be cut off
        return None
    ask_consent(plan.each_target, plan.used_proxy, embedded=embedded, agreed=options["yes"], addressing=plan.addressing)
    if options["name"] is None and options["out"] is None:
        name = _free_name(name)
    store = RunStore.create(options["out"] or _RESULTS / name)
    try:
        _save_plan(plan, embedded, options, pilots=pilots)
        facts: RunRecord = {
            "name": name,
            "plan": plan.to_json(secrets=False),
            "environment": _environment(quiet=options["quiet"]),
            "notes": [],
        }
        if embedded:
            facts["environment"]["embedded_target"] = None  # marks the run, also if it is cut off
        baseline = check_baseline(options, facts, pilots=pilots)
        if baseline:
            facts["baseline"] = baseline
        live = LiveOutput(options, plan.target_names)
    except BaseException:
        store.discard()
        raise
    return Experiment(
        plan,
        store,
        facts,
        is_new=True,
        quiet=options["quiet"],
        draws=not options["no_charts"],
        pilots=pilots,
        audits=options["probe"],
        live=live,
    )


def _environment(*, quiet: bool) -> EnvironmentRecord:
    """The environment of a run that starts now, with this machine's calibration if there is one."""
    found = environment()
    calibration, complaint = load_calibration(identity_of(found))
    if calibration is not None:
        found["calibration"] = calibration
    elif complaint and not quiet:
        print_error(complaint)
    return found


def _free_name(name: str) -> str:
    """The name itself; a second run in the same second gets a number."""
    numbered = (f"{name}-{number}" if number > 1 else name for number in count(1))
    return next(found for found in numbered if not (_RESULTS / found).exists())


def compare(options: dict[str, Any]) -> FinishedRun | None:
    """Run a comparison; None where nothing was to be run. Raises PlanError or TargetError."""
    experiment = prepare(build_plan(options), options)
    return None if experiment is None else experiment.run()


def _save_plan(plan: Plan, embedded: bool, options: dict[str, Any], *, pilots: bool) -> None:
    if options["save_plan"] is None:
        return
    left_out = save_plan(options["save_plan"], plan, embedded, has_load=not pilots)
    if left_out and not options["quiet"]:
        print_error(f"{options['save_plan']} holds no credentials; give those of {', '.join(left_out)} when you run it")
