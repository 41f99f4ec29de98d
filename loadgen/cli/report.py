"""From a run's folder to summary, charts and report, and what the shell shows of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED, EXIT_OUTPUT, Outcome
from loadgen.cli.baseline import baseline_diff, check_baseline
from loadgen.cli.console import changing_line, show_path, show_summary
from loadgen.cli.diff import save_diff
from loadgen.cli.diff_console import show_diff
from loadgen.cli.exports import write_exports
from loadgen.cli.gate_lines import report_gates
from loadgen.cli.run_notes import CUT_SHORT
from loadgen.cli.run_validation import load_record
from loadgen.cli.signals import Interruption
from loadgen.cli.stdio import print_error
from loadgen.measure.data.rows import Samples
from loadgen.measure.data.store import SUMMARY_FILE, RunStore
from loadgen.measure.diff.diff_gates import diff_groups, judge_run_gates
from loadgen.measure.summary.run import summarise
from loadgen.measure.summary.run_gates import asks_for_diff, expressions_of, resolve_gates, with_max_errors
from loadgen.model.diff_record import DiffRecord
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.gate.resolution import ResolvedGate
from loadgen.model.plan import Plan
from loadgen.model.run_record import RunRecord
from loadgen.model.summary import Summary
from loadgen.probe.before_load import probe_warnings
from loadgen.show.export import RunData, write_report, write_summary
from loadgen.show.export.html import HTML
from loadgen.show.export.json import JSON
from loadgen.show.export.requested import check_exports, writes_to_stdout

_DONE = "done"


@dataclass
class FinishedRun:
    """A run whose samples and summary lie in its folder; its charts and pages are still to be made."""

    store: RunStore
    summary: Summary
    end: str
    """`done`, or one of CUT_SHORT."""
    draws: bool
    """Charts and pages are to be made."""
    failure: str
    """Why not everything could be saved; empty where it was."""
    diff: DiffRecord | None = None
    """What changed since the runs of --baseline."""
    samples: Samples | None = None

    @cached_property
    def data(self) -> RunData:
        """What exports, charts and pages are made of; one for all, so that each chart is drawn once."""
        return RunData(self.summary, self.samples, self.diff)

    @property
    def shown_file(self) -> Path:
        """Where the result can be read, once it is drawn."""
        return self.store.path((HTML if self.draws else JSON).file_name)

    def draw(self, *, quiet: bool) -> None:
        """Make charts and pages, if they are wanted, which takes most of the time after a load.

        If the disk fills up meanwhile, only the files that no longer fit are missing. A signal leaves the rest undone.
        """
        if not self.draws:
            return
        try:
            with nullcontext(lambda _text: None) if quiet else changing_line("drawing charts") as say:
                run = self.data
                run.on_chart = lambda number, of, name: say(f"drawing charts: {number} of {of}, {name}")
                write_report(self.store, run)
                if self.diff is not None:
                    save_diff(self.store, self.diff, draws=True)
        except OSError as error:
            self.failure = self.failure or error.strerror or str(error)
        except Interruption as error:
            error.saved = self.store.directory
            raise

    def check_answered(self) -> None:
        """Raise TargetError where no request was answered."""
        if not any(one["requests"] for one in self.summary["policies"].values()):
            raise TargetError(f"{self.summary['verdict']}; see {self.store.path(SUMMARY_FILE)}")


def rebuild(run: Path, options: dict[str, Any]) -> Outcome:
    """`loadgen report`: everything that can be made from the run's samples, anew. Raises PlanError or TargetError."""
    check_exports(options)
    store = RunStore.open(run, to_change=True)
    facts = load_record(store)
    baseline = check_baseline(options, facts, pilots=False)
    if baseline:
        facts["baseline"] = baseline
    recorded = Plan.from_json(facts["plan"])
    asked = with_max_errors(options["fail_if"], options["max_errors"]) or expressions_of(recorded)
    gates = _resolved(recorded, facts, asked)
    return present(finish(store, facts, _DONE, draws=True, gates=gates), options)


def _resolved(plan: Plan, facts: RunRecord, asked: Sequence[str] | None = None) -> tuple[ResolvedGate, ...]:
    return resolve_gates(plan, asked, diff_groups(plan) if facts.get("baseline") else ())


def finish(
    store: RunStore, facts: RunRecord, end: str, *, draws: bool, gates: Sequence[ResolvedGate] | None = None
) -> FinishedRun:
    """Make the summary and save it. draws: the run is to get charts and pages as well, see FinishedRun.draw.

    gates: those to judge; the plan's unless given.
    """
    failure = ""
    try:
        store.save_run(store.load_run() | facts)
    except OSError as error:
        failure = error.strerror or str(error)
    plan = Plan.from_json(facts["plan"])
    samples = store.load_samples(tuple(cell.name for cell in plan.cells), plan.max_samples)
    notes = [*facts["notes"], *probe_warnings(facts["environment"])]
    summary = summarise(facts["name"], samples, facts["plan"], facts["environment"], notes)
    diff = _diff(store, facts, samples)
    gates = _resolved(plan, facts) if gates is None else gates
    judged = judge_run_gates(gates, summary, diff)
    if judged:
        summary["gates"] = judged
    if "pilot" in facts:
        summary["pilot"] = facts["pilot"]
    try:
        write_summary(store, RunData(summary, samples))
    except OSError as error:
        failure = error.strerror or str(error)
    if diff is not None:
        of_diff = [one for gate, one in zip(gates, judged, strict=True) if asks_for_diff(gate.gate)]
        if of_diff:
            diff["gates"] = of_diff
        try:
            save_diff(store, diff, draws=False)  # its chart and its page come with the others
        except OSError as error:
            failure = error.strerror or str(error)
    if store.has_rows:
        failure = failure or "no room for the samples"
    return FinishedRun(store, summary, end, draws, failure, diff, samples)


def _diff(store: RunStore, facts: RunRecord, samples: Samples) -> DiffRecord | None:
    """What changed since the runs of --baseline; None without one, or where it can't be read any more."""
    if not facts.get("baseline"):
        return None
    try:
        return baseline_diff(facts["baseline"], store.directory, facts, samples)
    except (PlanError, OSError) as error:
        print_error(f"nothing is said of what changed: {error}")
        return None


def present(run: FinishedRun, options: dict[str, Any]) -> Outcome:
    """Show a run as --json and --quiet say, and only then draw it; say in any case which of its gates failed.

    Exports are written before it is drawn; where one goes to standard output, nothing else does.

    Raises TargetError where it came to its end without a single answer.
    """
    store = run.store
    shows = not (options["quiet"] or options["json"] or writes_to_stdout(options))
    if options["json"]:
        JSON.write(run.data, sys.stdout)
    elif shows:
        show_summary(run.summary)
        if run.diff is not None:
            show_diff(run.diff)
    unwritten = write_exports(run.data, store, options)
    sys.stdout.flush()
    run.draw(quiet=options["quiet"])
    if shows and not run.failure:  # else it is not there, or an older one
        show_path(run.shown_file)
    if run.failure:
        print_error(f"not everything could be saved in {store.directory}: {run.failure}")
    if unwritten:
        print_error(f"{unwritten}; the results are saved in {store.directory}")
    if run.end == _DONE:
        run.check_answered()
    exit_code = report_gates(run.summary.get("gates", ()))
    if run.end == _DONE:
        return Outcome(exit_code or (EXIT_OUTPUT if unwritten else EXIT_DONE), store.directory)
    if run.end != "interrupted":
        print_error(CUT_SHORT[run.end])
    return Outcome(EXIT_INTERRUPTED, store.directory)
