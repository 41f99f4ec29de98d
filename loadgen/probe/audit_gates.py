"""The gates of an audit: which values of its findings they may ask for, and what became of them. Asks no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args

from loadgen.model.audit import AuditRecord, Verdict, VerdictWord
from loadgen.model.exceptions import PlanError
from loadgen.model.gate.expression import parse_gate
from loadgen.model.gate.judgement import judge, readings_of
from loadgen.model.gate.resolution import FieldGroup, ResolvedGate, resolve
from loadgen.model.gate.result_fields import Field, ValueKind, name_of
from loadgen.model.gate_summary import GateSummary
from loadgen.probe.probe import Probe
from loadgen.probe.registry import PROBES

_VERDICT = "verdict"
_COUNTED = {
    "violations": Verdict.VIOLATION,
    "warnings": Verdict.WARNING,
    "notes": Verdict.NOTE,
    "unknowns": Verdict.UNKNOWN,
}
"""How many findings have a verdict."""
_OF_AUDIT = ("requests", "connections", "duration_ns")
_SUFFIXES = ("_ns", "_share", "")


def resolve_gates(expressions: Sequence[str], probes: Collection[Probe]) -> tuple[ResolvedGate, ...]:
    """What gates ask for; probes: those that run. Raises PlanError, also where none of them answers that."""
    names = {probe.name for probe in PROBES}
    running = {probe.name for probe in probes}
    group = FieldGroup("", tuple(_fields()))
    found = tuple(resolve(parse_gate(text), (group,)) for text in expressions)
    for gate in found:
        name = gate.field.path[0]
        if name in names - running:
            raise PlanError(f"the gate {gate.gate.text!r} asks for the check {name}, which does not run here")
    return found


def judge_gates(gates: Sequence[ResolvedGate], record: AuditRecord) -> list[GateSummary]:
    """What became of each gate."""
    verdicts = Counter(one["verdict"] for one in record["findings"].values())
    values: dict[str, Any] = {
        name: one["values"] | {_VERDICT: one["verdict"]} for name, one in record["findings"].items()
    }
    values |= {name: verdicts[verdict.value] for name, verdict in _COUNTED.items()}
    values |= {name: record[name] for name in _OF_AUDIT}  # type: ignore[literal-required] # keys of AuditRecord
    return [judge(one, readings_of(one, {"": values})) for one in gates]


def _fields() -> Iterator[Field]:
    for name in (*_COUNTED, *_OF_AUDIT):
        yield _field((name,), ValueKind.NUMBER, is_whole_number=True)
    for probe in PROBES:
        yield _field((probe.name, _VERDICT), ValueKind.TEXT, choices=get_args(VerdictWord))
        for key in probe.values:
            yield _field((probe.name, key), ValueKind.ANY, interval=_interval(probe, key))


def _field(path: tuple[str, ...], kind: ValueKind, **more: Any) -> Field:
    words, unit = name_of(".".join(path))
    return Field(path, kind, words, unit, **more)


def _interval(probe: Probe, key: str) -> tuple[tuple[str, ...], ...]:
    """The bounds of a value have its name with `low` and `high`: `timeout_low_ns`, `rate_low`, `counted_low`."""
    suffix = next(one for one in _SUFFIXES if key.endswith(one))
    base = key.removesuffix(suffix)
    for end in (suffix, ""):
        bounds = (f"{base}_low{end}", f"{base}_high{end}")
        if all(bound in probe.values for bound in bounds):
            return tuple((probe.name, bound) for bound in bounds)
    return ()
