"""From a run's folder to summary, charts, report and what the shell shows of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE
from loadgen.cli.console import show_summary
from loadgen.cli.run_validation import recorded_run
from loadgen.measure.data.store import SUMMARY_FILE, RunStore
from loadgen.measure.summary.run import summarise
from loadgen.measure.warnings.run import nothing_answered
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan


def rebuild(run: Path, as_json: bool, quiet: bool) -> int:
    """`loadgen report`: everything that can be drawn from the run's samples, anew. Raises PlanError."""
    store = RunStore.open(run, to_change=True)
    facts = store.load_run()
    recorded_run(facts, str(run))
    finish(store, facts, as_json, quiet)
    return EXIT_DONE


def redraw(directory: Path) -> int:
    """Draw what a summary says. Raises PlanError where there is none."""
    from loadgen.show.report import write_report

    store = RunStore(directory)
    write_report(store, store.load_summary())
    return EXIT_DONE


def finish(store: RunStore, facts: dict[str, Any], as_json: bool, quiet: bool, draws: bool = True) -> None:
    """Summarise, draw, write the report and show it. Raises TargetError where no request was answered.

    Without `draws` there are neither charts nor pages, which take most of the time.

    A disk that fills up meanwhile costs the files that no longer fit, not what can be shown.
    """
    failed = ""
    try:
        store.save_run(store.load_run() | facts)
    except OSError as error:
        failed = error.strerror or str(error)
    samples = store.load_samples(tuple(cell.name for cell in Plan.from_json(facts["plan"]).cells))
    summary = summarise(facts["name"], samples, facts["plan"], facts["environment"], facts["notes"])
    try:
        store.save_summary(summary)
        if draws:
            from loadgen.show.report import write_report

            write_report(store, summary)
    except OSError as error:
        failed = error.strerror or str(error)
    if as_json:
        sys.stdout.write(store.to_text(summary))
    elif not quiet:
        show_summary(summary, store.path("report.html" if draws else SUMMARY_FILE))
    if failed or store.has_rows:
        where = f"not everything could be saved in {store.directory}"
        print(f"loadgen: {where}: {failed or 'no room for the samples'}", file=sys.stderr)  # noqa: T201
    if not any(one["requests"] for one in summary["policies"].values()):
        raise TargetError(f"{nothing_answered(summary['policies'])}; see {store.path(SUMMARY_FILE)}")
