"""From a run's folder to summary, charts, report and what the shell shows of them."""

from __future__ import annotations

import sys
from pathlib import Path

from loadgen.cli import EXIT_DONE
from loadgen.cli.console import show_summary
from loadgen.measure.store import SUMMARY_FILE, RunStore
from loadgen.measure.summary import summarise
from loadgen.model.errors import TargetError


def rebuild(run: Path, as_json: bool, quiet: bool) -> int:
    """`loadgen report`: everything that can be drawn from the run's samples, anew. Raises PlanError."""
    finish(RunStore.open(run), as_json, quiet)
    return EXIT_DONE


def finish(store: RunStore, as_json: bool, quiet: bool) -> None:
    """Summarise, draw, write the report and show it. Raises TargetError where no request was answered.

    A disk that fills up meanwhile costs the files that no longer fit, not what can be shown.
    """
    facts = store.load_run()
    samples = store.load_samples(tuple(facts["plan"]["policies"]))
    summary = summarise(facts["name"], samples, facts["plan"], facts["environment"], facts["notes"])
    failed = None
    try:
        store.save_summary(summary)
        from loadgen.show.report import write_report

        write_report(store, summary)
    except OSError as error:
        failed = error.strerror or str(error)
    if as_json:
        sys.stdout.write(store.to_text(summary))
    elif not quiet:
        show_summary(summary, store.directory)
    if failed:
        print(f"loadgen: not everything could be saved in {store.directory}: {failed}", file=sys.stderr)  # noqa: T201
    if not any(one["requests"] for one in summary["policies"].values()):
        raise TargetError(f"no request was answered in a counted window; see {store.path(SUMMARY_FILE)}")
