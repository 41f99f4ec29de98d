"""The record of a run (run.json, summary.json), checked before anything is made from it.

It may have been edited by hand: every complaint is a PlanError of one line that says where and what.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, cast

from loadgen.model import plan_fields
from loadgen.model.audit import AuditRecord
from loadgen.model.calibration import CalibrationRecord
from loadgen.model.exceptions import PlanError
from loadgen.model.json_types import JSON_NUMBER, JSON_OBJECT, JSON_TEXT, JSON_TEXTS, JSON_WHOLE, JsonType, list_of
from loadgen.model.pilot_record import PilotRecord
from loadgen.model.plan import Plan
from loadgen.model.typed_json import misfit

if TYPE_CHECKING:  # every command imports this module: numpy and these types take long, and a plan needs neither
    from loadgen.measure.data.store import RunStore
    from loadgen.model.run_record import RunRecord

_MAX_SHOWN = 60  # characters of a value that is wrong


_NOTE = JsonType(
    "a note",
    "notes",
    lambda value: isinstance(value, dict) and JSON_TEXTS.fits([value.get("code"), value.get("message")]),
)
_FACTS = {
    "name": JSON_TEXT,
    "plan": JSON_OBJECT,
    "environment": JSON_OBJECT,
    "notes": list_of(_NOTE),
    "baseline": JSON_TEXTS,
    "incomplete_rounds": list_of(JSON_WHOLE),
    "rounds_s": list_of(JSON_NUMBER),
    "parts": JSON_WHOLE,
}
# Of a run without --baseline, one that was not cut short, one not in Locust, and one never resumed.
_ASSUMED: dict[str, Any] = {"baseline": [], "incomplete_rounds": [], "rounds_s": [], "parts": 1}


def recorded_plan(facts: Any, where: str) -> tuple[Plan, bool]:
    """The plan that a run recorded, and whether it ran against the embedded target. Raises PlanError."""
    if not isinstance(facts, dict):
        raise PlanError(f"{where} holds no run: it is not a JSON object")
    if not isinstance(facts.get("plan"), dict):
        raise PlanError(f"{where} holds no run's plan: {_wrong('plan', facts.get('plan'), JSON_OBJECT)}")
    values = facts["plan"]
    _check(values, plan_fields.json_types(), plan_fields.needed_keys(), f"{where}: plan.")
    axes = values.get(plan_fields.AXES, {})
    _check(plan_fields.used_axes(axes), plan_fields.axis_types(), (), f"{where}: plan.axes.")
    environment = facts.get("environment")
    try:
        return Plan.from_json(values), isinstance(environment, dict) and "embedded_target" in environment
    except PlanError as error:
        raise PlanError(f"{where}: {error}") from None


def recorded_run(facts: Mapping[str, Any], where: str) -> tuple[Plan, bool]:
    """The same for a run that is complete enough to be resumed or reported. Raises PlanError."""
    for key, kind in _FACTS.items():
        if not kind.fits(facts.get(key, _ASSUMED.get(key))):
            raise PlanError(f"{where} holds no whole run: {_wrong(key, facts.get(key), kind)}")
    for key, holder, form in (
        ("pilot", facts, PilotRecord),
        ("calibration", facts["environment"], CalibrationRecord),
        ("audit", facts["environment"], AuditRecord),
    ):
        if complaint := misfit(holder[key], form, key) if key in holder else "":
            raise PlanError(f"{where} holds no whole run: {complaint}")
    return recorded_plan(facts, where)


def load_record(store: RunStore) -> RunRecord:
    """What a run recorded of itself, checked. Raises PlanError."""
    facts = store.load_run()
    recorded_run(facts, str(store.directory))
    return cast("RunRecord", facts)


def _check(values: dict[str, Any], kinds: Mapping[str, JsonType], needed: Collection[str], where: str) -> None:
    for key, value in values.items():
        if key not in kinds:
            renamed = plan_fields.renamed_keys()
            if key in renamed:
                raise PlanError(
                    f"{where}{key} is called {renamed[key]} now: an older loadgen made this run; run it again"
                )
            near = difflib.get_close_matches(key, kinds, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(kinds)}"
            raise PlanError(f"{where}{key} is unknown; {hint}")
        if not kinds[key].fits(value):
            raise PlanError(f"{where}{_wrong(key, value, kinds[key])}")
    for key in needed:
        if key not in values:
            raise PlanError(f"{where}{key} is missing")


def _wrong(key: str, value: Any, kind: JsonType) -> str:
    if value is None:
        return f"{key} is missing or null; it must be {kind.words}"
    shown = json.dumps(value, ensure_ascii=False)
    if len(shown) > _MAX_SHOWN:
        shown = f"{shown[:_MAX_SHOWN]}…"
    return f"{key} is {shown}; it must be {kind.words}"
