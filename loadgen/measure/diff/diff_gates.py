"""The gates of a diff: which of its fields they may ask for, and what became of them. Shows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypedDict

from loadgen.measure.stats.comparison import pair_name, pairs
from loadgen.measure.summary.run_gates import asks_for_diff, groups_of_cells, groups_of_pairs, judge_gates
from loadgen.model.diff_record import ComparisonChange, DiffRecord, MachineControl, PolicyChanges
from loadgen.model.gate.expression import GateExpression
from loadgen.model.gate.judgement import judge, readings_of
from loadgen.model.gate.resolution import FieldGroup, ResolvedGate, resolve
from loadgen.model.gate.result_fields import Field, fields_of
from loadgen.model.gate_summary import GateSummary
from loadgen.model.plan import Plan
from loadgen.model.records import Phase
from loadgen.model.summary import Summary

_POLICIES, _PAIRS = "policies", "pairs"
_NAMES = {"phases_ns": tuple(phase.value for phase in Phase)}


class _DiffFigures(TypedDict):
    """What is of the diff as a whole."""

    certain_changes: int
    machine: MachineControl | None


@cache
def _fields(form: Any) -> tuple[Field, ...]:
    return fields_of(form, _NAMES)


def diff_groups(plan: Plan) -> tuple[FieldGroup, ...]:
    """What gates may ask of the diff of a run of this plan, before there is one."""
    found = list(pairs(plan.cells, bool(plan.axes)))
    return (
        FieldGroup(_POLICIES, _fields(PolicyChanges), tuple(cell.name for cell in plan.cells), groups_of_cells(plan)),
        FieldGroup(
            _PAIRS, _fields(ComparisonChange), tuple(pair_name(*one) for one in found), groups_of_pairs(plan, found)
        ),
        FieldGroup("", _fields(_DiffFigures)),
    )


def judge_run_gates(gates: Sequence[ResolvedGate], summary: Summary, diff: DiffRecord | None) -> list[GateSummary]:
    """What became of each gate of a run with a baseline. Without a diff those that ask for it fail."""
    return [
        _judged(one, {} if diff is None else _records(diff))
        if asks_for_diff(one.gate)
        else judge_gates((one,), summary)[0]
        for one in gates
    ]


def judge_diff(gates: Sequence[GateExpression], diff: DiffRecord, plan: Plan) -> list[GateSummary]:
    """What became of each gate. plan: the new run's. Raises PlanError where a gate asks for what a diff has not."""
    names = (*diff["policies"], *diff["left_out"])
    pair_names = tuple(pair_name(*pair) for pair in _pairs_of(diff))
    groups = (
        FieldGroup(_POLICIES, _fields(PolicyChanges), names, groups_of_cells(plan)),
        FieldGroup(_PAIRS, _fields(ComparisonChange), pair_names, groups_of_pairs(plan, _pairs_of(diff))),
        FieldGroup("", _fields(_DiffFigures)),
    )
    records = _records(diff)
    return [_judged(resolve(gate, groups), records) for gate in gates]


def _pairs_of(diff: DiffRecord) -> list[tuple[str, str]]:
    return [(one["baseline"], one["candidate"]) for one in diff["comparisons"]]


def _records(diff: DiffRecord) -> Mapping[str, Mapping[str, Any]]:
    """The parts of a diff that gates may ask, by subject."""
    of_pairs = {pair_name(one["baseline"], one["candidate"]): one for one in diff["comparisons"]}
    return {**diff["policies"], **of_pairs, "": diff}


def _judged(gate: ResolvedGate, records: Mapping[str, Mapping[str, Any]]) -> GateSummary:
    """A phase that happened under none of a policy's runs keeps every limit, unless the gate names the policy."""
    readings = readings_of(gate, records)
    if not gate.names_one and gate.field.path[0] in _NAMES:
        readings = [one for one in readings if one.value is not None or one.subject not in records]
    return judge(gate, readings)
