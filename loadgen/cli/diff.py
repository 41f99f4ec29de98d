"""`loadgen diff`: what changed from earlier runs to a new one. Reads runs, and changes none of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from loadgen.cli import Outcome
from loadgen.cli.diff_console import show_diff, unlike_text
from loadgen.cli.gate_lines import report_gates
from loadgen.cli.run_validation import load_record
from loadgen.measure.data.store import RunStore
from loadgen.measure.diff.diff_gates import judge_diff
from loadgen.measure.diff.likeness import unlike
from loadgen.measure.diff.measured_run import MeasuredRun, measured_run
from loadgen.measure.diff.run_diff import diff_runs
from loadgen.model.diff_record import DiffRecord
from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_writable, write_whole
from loadgen.model.gate.expression import GateExpression, parse_gate
from loadgen.model.plan import Plan
from loadgen.model.run_record import RunRecord
from loadgen.show.export.diff_html import diff_html
from loadgen.show.export.diff_markdown import diff_markdown

DIFF_FILE, MARKDOWN_FILE, PAGE_FILE, CHART_NAME = "diff.json", "diff.md", "diff.html", "diff"


def diff(old: Sequence[Path], new: Path, options: dict[str, Any]) -> Outcome:
    """`loadgen diff`. Raises PlanError where the runs can't be compared, or --out can't be written."""
    check_one_output(options)
    if options["no_charts"] and options["out"] is None:
        raise PlanError("--no-charts is for --out; without that nothing is drawn")
    page = options["html"]
    if page is not None:
        check_writable(page, "--html")
    gates = [parse_gate(text) for text in options["fail_if"]]
    found = diff_folders(old, new, forced=options["force"], gates=gates)
    if options["out"] is not None:
        _save_into(options["out"], found, draws=not options["no_charts"])
    if page is not None:
        _write_page(page, found)
    if options["json"]:
        sys.stdout.write(RunStore.to_text(found))
    elif options["markdown"]:
        sys.stdout.write(diff_markdown(found))
    elif not options["quiet"]:
        show_diff(found)
    return Outcome(report_gates(found.get("gates", ())), options["out"])


def check_one_output(options: dict[str, Any]) -> None:
    """Raise PlanError where two forms are asked for on standard output."""
    if options["json"] and options["markdown"]:
        raise PlanError("--json and --markdown both take standard output; give one of them")


def _save_into(folder: Path, found: DiffRecord, *, draws: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_diff(RunStore(folder), found, draws=draws)
    except OSError as error:
        raise PlanError(f"can't write to {folder}: {error.strerror}") from None


def _write_page(path: Path, found: DiffRecord) -> None:
    content = diff_html(found).encode()
    try:
        write_whole(path, lambda file: file.write(content))
    except OSError as error:
        raise PlanError(f"can't write to {path}: {error.strerror}") from None


def save_diff(store: RunStore, found: DiffRecord, *, draws: bool) -> None:
    """Write diff.json, diff.md, and if it draws the page and the chart. Raises OSError where the disk is full."""
    store.write_text(DIFF_FILE, RunStore.to_text(found))
    store.write_text(MARKDOWN_FILE, diff_markdown(found))
    if draws:
        from loadgen.show.charts import draw_diff  # matplotlib takes long to import

        store.write_text(PAGE_FILE, diff_html(found))
        for ending, content in draw_diff(found).items():
            store.write_bytes(f"{CHART_NAME}.{ending}", content)


def load_diff(store: RunStore) -> DiffRecord | None:
    """The diff in a run's folder; None where there is none. Raises PlanError where it can't be read."""
    path = store.path(DIFF_FILE)
    if not path.exists():
        return None
    try:
        return cast(DiffRecord, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} can't be read: {error}") from None


def read_run(folder: Path) -> MeasuredRun:
    """A run with its samples. Raises PlanError."""
    store = RunStore.open(folder)
    return _with_samples(store, load_record(store))


def _with_samples(store: RunStore, record: RunRecord) -> MeasuredRun:
    folder, plan = store.directory, Plan.from_json(record["plan"])
    if store.has_rows:
        raise PlanError(
            f"{folder} was cut off before its samples were saved; complete it with: loadgen report {folder}"
        )
    return measured_run(str(folder), record, plan, store.load_samples(tuple(cell.name for cell in plan.cells)))


def refuse_unlike(old: Sequence[tuple[Path, RunRecord]], new: tuple[Path, RunRecord], *, forced: bool) -> None:
    """Raise PlanError, with what differs, unless the runs are alike in all that decides what is measured."""
    for path, record in old:
        refused = [one for one in unlike(record, new[1]) if one["is_refused"]]
        if refused and not forced:
            listed = "; ".join(map(unlike_text, refused))
            raise PlanError(f"{path} and {new[0]} are unlike: {listed}. --force compares them all the same")


def diff_folders(old: Sequence[Path], new: Path, *, forced: bool, gates: Sequence[GateExpression] = ()) -> DiffRecord:
    """Raises PlanError where a folder holds no run, the runs are unlike and not forced, or a gate asks too much."""
    runs = [(store := RunStore.open(folder), load_record(store)) for folder in (*old, new)]
    *earlier, latest = ((store.directory, record) for store, record in runs)
    refuse_unlike(earlier, latest, forced=forced)
    *before, after = (_with_samples(store, record) for store, record in runs)
    found = diff_runs(before, after)
    if gates:
        found["gates"] = judge_diff(gates, found, after.plan)
    return found
