"""The gates of a run: which fields of a summary they may ask for, and what became of them. Shows nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypedDict

from loadgen.measure.stats.comparison import pair_name, pairs
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.gate.expression import GateExpression, parse_gate
from loadgen.model.gate.judgement import Reading, judge, readings_of
from loadgen.model.gate.resolution import FieldGroup, ResolvedGate, resolve
from loadgen.model.gate.result_fields import Field, fields_of
from loadgen.model.gate_summary import GateSummary
from loadgen.model.leniency import Leniency
from loadgen.model.plan import Plan
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Ending, Phase
from loadgen.model.summary import ComparisonSummary, PrecisionSummary, Summary
from loadgen.model.units import percent_text
from loadgen.model.warning_codes import WarningCode

_POLICIES, _PAIRS = "policies", "pairs"
_DIFF = "diff."
"""What a gate over the diff with a baseline begins with."""
_PHASES = tuple(phase.value for phase in Phase)
_STATUSES = (*(f"{digit}xx" for digit in range(1, 6)), *map(str, range(100, 600)))
_NAMES: Mapping[str, Sequence[str]] = {
    "errors": tuple(kind.label for kind in ErrorKind),
    "statuses": _STATUSES,
    "idle_statuses": ("0", *_STATUSES),
    "endings": tuple(ending.label for ending in Ending),
    "lenient": tuple(one.label for one in Leniency),
    "phases_ns": _PHASES,
    "phase_deltas_mean_ns": _PHASES,
    "warnings": tuple(code.value for code in WarningCode),
}
"""The keys that objects of a summary may have; those that a server chooses (trailer fields) are no fields."""
_PART_OF = {"errors": "started", "unfinished": "started", "requests": "started", "statuses": "requests"}


class _RunFigures(TypedDict):
    """What is of the run as a whole."""

    warnings: dict[str, int]
    """Warnings by their code."""
    precision: PrecisionSummary | None


@cache
def policy_fields() -> tuple[Field, ...]:
    """What a gate may ask of a policy."""
    return fields_of(PolicySummary, _NAMES, _PART_OF)


@cache
def pair_fields() -> tuple[Field, ...]:
    """What a gate may ask of a pair of policies."""
    return fields_of(ComparisonSummary, _NAMES)


@cache
def run_fields() -> tuple[Field, ...]:
    """What a gate may ask of a run as a whole."""
    return fields_of(_RunFigures, _NAMES)


def resolve_gates(
    plan: Plan, fail_if: Sequence[str] | None = None, of_diff: Sequence[FieldGroup] = ()
) -> tuple[ResolvedGate, ...]:
    """The gates of a plan, or those that are asked for in their place. Raises PlanError.

    of_diff: what gates may ask of the diff with a baseline; empty where the run has none.
    """
    expressions = expressions_of(plan) if fail_if is None else fail_if
    if not expressions:
        return ()
    found = list(pairs(plan.cells, bool(plan.axes)))
    groups = (
        FieldGroup(_POLICIES, policy_fields(), tuple(cell.name for cell in plan.cells), groups_of_cells(plan)),
        FieldGroup(_PAIRS, pair_fields(), tuple(pair_name(*pair) for pair in found), groups_of_pairs(plan, found)),
        # A warning's code is often the name of an error kind, or of a field of the policies.
        FieldGroup("", run_fields(), needs_whole_path=True),
    )
    return tuple(_resolved(parse_gate(text), groups, of_diff) for text in expressions)


def asks_for_diff(gate: GateExpression) -> bool:
    """It is about what changed since a baseline."""
    return gate.text.startswith(_DIFF)  # its path is cut once it is resolved


def _resolved(gate: GateExpression, groups: Sequence[FieldGroup], of_diff: Sequence[FieldGroup]) -> ResolvedGate:
    if not asks_for_diff(gate):
        return resolve(gate, groups)
    if not of_diff:
        raise PlanError(f"the gate {gate.text!r} asks what changed since an earlier run; name that run: --baseline DIR")
    return resolve(replace(gate, path=gate.path.removeprefix(_DIFF)), of_diff)


def groups_of_cells(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Names that stand for cells: in a sweep a policy; of several targets `persistent`, `B` and `B.persistent`."""
    found: dict[str, tuple[str, ...]] = {}
    for cell in plan.cells if plan.axes or plan.targets else ():
        policy, target = cell.policy.name, cell.target
        for name in (policy,) if target is None else (policy, target, f"{target}.{policy}"):
            found[name] = (*found.get(name, ()), cell.name)
    return found


def groups_of_pairs(plan: Plan, found: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Of several targets `B/A` and `persistent.B/A`, `close/persistent` and `B.close/persistent`."""
    groups: dict[str, tuple[str, ...]] = {}
    cells = {cell.name: cell for cell in plan.cells} if plan.targets else {}
    for names in found if cells else ():
        one, other = (cells[name] for name in names)
        policies, targets = ((one.policy.name, other.policy.name), (one.target, other.target))
        common, differing = (targets, policies) if one.target == other.target else (policies, targets)
        short = pair_name(*map(str, differing))
        for name in (short, f"{common[0]}.{short}"):
            groups[name] = (*groups.get(name, ()), pair_name(*names))
    return groups


def expressions_of(plan: Plan) -> tuple[str, ...]:
    """The plan's gates as expressions, that of `--max-errors` first."""
    return with_max_errors(plan.fail_if, plan.max_errors)


def with_max_errors(fail_if: Iterable[str], max_errors: float | None) -> tuple[str, ...]:
    """Gates as expressions, with what `--max-errors` says as one of them."""
    return (*(() if max_errors is None else (f"errors > {percent_text(max_errors)}",)), *fail_if)


def judge_gates(gates: Sequence[ResolvedGate], summary: Summary) -> list[GateSummary]:
    """What became of each gate."""
    records = _records(summary)
    return [judge(gate, _readings(gate, records)) for gate in gates]


def _readings(gate: ResolvedGate, records: Mapping[str, Mapping[str, Any]]) -> list[Reading]:
    found = readings_of(gate, records)
    if gate.names_one or not gate.subjects:
        return found
    # What did not happen under a policy that answers, such as a connect phase without a connect, keeps every limit.
    return [one for one in found if one.value is not None or not _is_answered(records.get(one.subject))]


def _is_answered(record: Mapping[str, Any] | None) -> bool:
    """There are requests, so that a value which is absent does not apply."""
    return record is not None and record.get("requests") != 0


def _records(summary: Summary) -> Mapping[str, Mapping[str, Any]]:
    """The parts of the summary that gates may ask, by subject."""
    warnings = Counter(one["code"] for one in summary["warnings"])
    by_pair = {pair_name(one["baseline"], one["candidate"]): one for one in summary["comparisons"]}
    return {**summary["policies"], **by_pair, "": {"warnings": warnings, "precision": summary.get("precision")}}
