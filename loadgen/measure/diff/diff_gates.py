"""The gates of a diff: which of its fields they may ask for, and what became of them. Shows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypedDict

from loadgen.measure.stats.comparison import pair_name
from loadgen.model.diff_record import ComparisonChange, DiffRecord, MachineControl, PolicyChanges
from loadgen.model.gate.expression import GateExpression
from loadgen.model.gate.judgement import judge, readings_of
from loadgen.model.gate.resolution import FieldGroup, ResolvedGate, resolve
from loadgen.model.gate.result_fields import Field, fields_of
from loadgen.model.gate_summary import GateSummary
from loadgen.model.records import Phase

_POLICIES, _PAIRS = "policies", "pairs"
_NAMES = {"phases_ns": tuple(phase.value for phase in Phase)}


class _DiffFigures(TypedDict):
    """What is of the diff as a whole."""

    certain_changes: int
    machine: MachineControl | None


@cache
def _fields(form: Any) -> tuple[Field, ...]:
    return fields_of(form, _NAMES)


def judge_diff(gates: Sequence[GateExpression], diff: DiffRecord) -> list[GateSummary]:
    """What became of each gate. Raises PlanError where one asks for what a diff has not."""
    pairs = {pair_name(one["baseline"], one["candidate"]): one for one in diff["comparisons"]}
    records: Mapping[str, Mapping[str, Any]] = {**diff["policies"], **pairs, "": diff}
    groups = (
        FieldGroup(_POLICIES, _fields(PolicyChanges), (*diff["policies"], *diff["left_out"])),
        FieldGroup(_PAIRS, _fields(ComparisonChange), tuple(pairs)),
        FieldGroup("", _fields(_DiffFigures)),
    )
    return [_judged(resolve(gate, groups), records) for gate in gates]


def _judged(gate: ResolvedGate, records: Mapping[str, Mapping[str, Any]]) -> GateSummary:
    """A phase that happened under none of a policy's runs keeps every limit, unless the gate names the policy."""
    readings = readings_of(gate, records)
    if not gate.names_one and gate.field.path[0] in _NAMES:
        readings = [one for one in readings if one.value is not None or one.subject not in records]
    return judge(gate, readings)
