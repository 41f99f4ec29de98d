"""`--baseline`: a run is compared with earlier ones as soon as it is over. The diff lies in the run's own folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from loadgen.cli.diff import read_run, refuse_unlike
from loadgen.cli.run_validation import load_record
from loadgen.measure.data.rows import Samples
from loadgen.measure.data.store import RunStore
from loadgen.measure.diff.measured_run import measured_run
from loadgen.measure.diff.run_diff import diff_runs
from loadgen.model.diff_record import DiffRecord
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.run_record import RunRecord


def check_baseline(options: dict[str, Any], run: RunRecord, *, pilots: bool) -> list[str]:
    """The folders of --baseline, before anything is sent. Raises PlanError where `run` can't be compared with them."""
    folders = [Path(one) for one in options["baseline"]]
    if options["force"] and not folders:
        raise PlanError("--force is for --baseline; give both")
    if folders and pilots:
        raise PlanError(
            f"--baseline needs the load of the earlier run, and here a pilot chooses one: --plan {folders[0]} runs "
            "the same plan again"
        )
    for folder in folders:
        record = load_record(RunStore.open(folder))
        refuse_unlike([(folder, record)], (Path("this run"), _as_far_as_known(run, record)), forced=options["force"])
    return [str(folder) for folder in folders]


def _as_far_as_known(run: RunRecord, earlier: RunRecord) -> RunRecord:
    """The record of a run that has not begun: what it can't know yet is as the earlier run has it."""
    later = {key: earlier["environment"].get(key) for key in ("processors_awake", "target")}
    known = {key: value for key, value in later.items() if value is not None}
    return cast(RunRecord, {**run, "environment": {**run["environment"], **known}})


def baseline_diff(folders: Sequence[str], path: Path, record: RunRecord, samples: Samples) -> DiffRecord:
    """What changed from the runs in these folders. Raises PlanError where one of them can't be read any more.

    The load is over, so unlike facts that came out meanwhile are told, and refuse nothing.
    """
    new = measured_run(str(path), record, Plan.from_json(record["plan"]), samples)
    return diff_runs([read_run(Path(folder)) for folder in folders], new)
