"""The pilot, seen from the command: started in a worker of its own, shown, and put into the plan. Decides no load."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from loadgen.cli.console import status_line
from loadgen.cli.run_notes import RunNotes
from loadgen.cli.stdio import print_error
from loadgen.cli.worker_pool import end_of, run_workers
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.pilot_record import PilotRecord
from loadgen.model.plan import Plan
from loadgen.model.warning_codes import WarningCode
from loadgen.show.pilot_text import pilot_sentence

_LOAD_OPTIONS = ("users", "rate", "think")
"""Where one of them is given, the load is what they say."""
# What failed for good is said again by the run itself.
_KEPT_WARNINGS = (WarningCode.FIRST_REQUEST_FAILED,)


def leaves_load_open(options: Mapping[str, Any]) -> bool:
    """Neither the command line nor a plan file says what the load is."""
    return all(options[name] is None for name in _LOAD_OPTIONS)


class PilotEnd(Exception):
    """The pilot ended before it chose a load. event: the last event of its worker."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event["end"])
        self.event = event


def run_pilot(plan: Plan, directory: Path, lock: int | None, notes: RunNotes, *, quiet: bool) -> PilotRecord:
    """Let a worker find a load for the plan. Raises PlanError and TargetError where it says so, else PilotEnd.

    directory: the run's folder, in which the pilot writes nothing.
    """
    found: dict[str, Any] = {}

    def on_event(_worker: int, event: dict[str, Any]) -> None:
        if "pilot" in event:
            found.update(event["pilot"])
        elif "observed" in event or event.get("warning", {}).get("code") in _KEPT_WARNINGS:
            warning = notes.add(0, event)
            if warning and not quiet:
                print_error(f"warning: {warning}")

    job = {"plan": replace(plan, processes=1).to_json(secrets=True), "pilot": True}
    with _shown(quiet):
        end = end_of(run_workers([(directory, job)], lock, on_event))
    if end["end"] in ("plan", "target"):
        raise (PlanError if end["end"] == "plan" else TargetError)(end["message"])
    if not found:
        raise PilotEnd(end)
    record = cast(PilotRecord, found | {"users": max(found["users"], plan.processes)})
    if not quiet:
        print_error(pilot_sentence(record))
    return record


def with_load(plan: Plan, record: PilotRecord) -> Plan:
    """The plan with the load that the pilot chose."""
    return replace(plan, load=replace(plan.load, users=record["users"], think_ns=record["think_ns"]))


def _shown(quiet: bool) -> AbstractContextManager[Any]:
    return nullcontext() if quiet else status_line("pilot: looking for a load that fills neither generator nor target")
