"""`loadgen history`: the headline of each run in a folder, as a table and a chart. Reads summaries, changes no run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.cli.console import text_console
from loadgen.cli.diff import check_one_output
from loadgen.cli.fitted_table import fit_table
from loadgen.cli.run_validation import load_record
from loadgen.cli.stdio import print_error
from loadgen.measure.data.recorder import RUN_FILE
from loadgen.measure.data.store import RunStore
from loadgen.measure.diff.run_history import SummarisedRun, run_history
from loadgen.model.characters import visible
from loadgen.model.exceptions import PlanError
from loadgen.model.history_record import HistoryRecord, LeftOutRun
from loadgen.model.plan import Plan
from loadgen.model.run_record import RunRecord
from loadgen.show.export.diff_markdown import history_markdown
from loadgen.show.export.history_html import history_html
from loadgen.show.formatting import load_text, target_text
from loadgen.show.tables.history_rows import history_table

_CHART_NAME, _PAGE_FILE = "history", "history.html"


def history(folder: Path, options: dict[str, Any]) -> Outcome:
    """`loadgen history`. Raises PlanError where the folder holds no run, or the chart can't be written."""
    check_one_output(options)
    if options["no_charts"] and options["out"] is not None:
        raise PlanError("--out is where the chart goes, and --no-charts draws none; give one of them")
    found = read_history(folder)
    charts = [] if options["no_charts"] else _draw_into(options["out"] or folder, found)
    if options["json"]:
        sys.stdout.write(RunStore.to_text(found))
    elif options["markdown"]:
        sys.stdout.write(history_markdown(found))
    elif not options["quiet"]:
        _show(found, charts)
    return Outcome(EXIT_DONE, charts[0].parent if charts else None)


def read_history(folder: Path) -> HistoryRecord:
    """The runs in the folder; one that can't be read is named in `left_out`. Raises PlanError where there is none."""
    runs: list[SummarisedRun] = []
    left_out: list[LeftOutRun] = []
    for path in _run_folders(folder):
        try:
            store = RunStore.open(path)
            record = load_record(store)
            runs.append(SummarisedRun(str(path), record, store.load_summary(), _title(record)))
        except PlanError as error:
            left_out.append({"path": str(path), "reason": str(error)})
    found = run_history(runs, left_out)
    if not found["groups"]:
        why = f": {found['left_out'][0]['reason']}" if found["left_out"] else ""
        if not why and (folder / RUN_FILE).is_file():
            above = folder.parent if folder.name else folder.resolve().parent
            why = f", but is one itself; write loadgen history {above}"
        raise PlanError(f"{folder} holds no folder with a run{why}")
    for one in found["left_out"]:
        print_error(f"{one['path']} is left out: {one['reason']}")
    return found


def _run_folders(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if (path / RUN_FILE).is_file())
    except OSError as error:
        raise PlanError(f"{folder} can't be read: {error.strerror}") from None
    yield from paths


def _title(record: RunRecord) -> str:
    plan = Plan.from_json(record["plan"])
    recorded = plan.to_json(secrets=False)
    embedded = "embedded_target" in record["environment"]
    where = f"the embedded target{' over TLS' if plan.target.is_tls else ''}" if embedded else target_text(recorded)
    path = f", {plan.target.path}" if embedded and plan.target.path != "/" else ""
    return f"{plan.method} {where}{path}: {load_text(recorded)}"


def _draw_into(folder: Path, found: HistoryRecord) -> list[Path]:
    from loadgen.show.charts import draw_history  # matplotlib takes long to import

    try:
        folder.mkdir(parents=True, exist_ok=True)
        store = RunStore(folder)
        for ending, content in draw_history(found).items():
            store.write_bytes(f"{_CHART_NAME}.{ending}", content)
        store.write_text(_PAGE_FILE, history_html(found))
    except OSError as error:
        raise PlanError(f"can't write to {folder}: {error.strerror}; --no-charts draws nothing") from None
    return [folder / f"{_CHART_NAME}.png", folder / _PAGE_FILE]


def _show(found: HistoryRecord, charts: list[Path]) -> None:
    console = text_console()
    for group in found["groups"]:
        table = fit_table(history_table(group), group["title"], console.width)
        console.print(table, soft_wrap=not console.is_terminal)
        console.print()
    for path in charts:
        console.print(visible(str(path)), soft_wrap=True)
