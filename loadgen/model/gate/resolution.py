"""From a gate to the field and the subjects that it asks for, or to one line that says what is wrong with it."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence

from loadgen.model.exceptions import PlanError
from loadgen.model.gate.expression import GateExpression, Limit
from loadgen.model.gate.result_fields import TIME_UNITS_NS, Field, ValueKind, name_of

_MAX_CANDIDATES = 6
_TRUTHS = {"true": True, "false": False}
_EQUALITY = ("==", "!=")


@dataclasses.dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that the same subjects have."""

    name: str
    """What its subjects are, in the plural: `policies`."""
    fields: tuple[Field, ...]
    subjects: tuple[str, ...] = ()
    """Their names; empty where the fields are of the result as a whole."""
    subsets: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Names that stand for some of them: in a sweep a policy for its cells, of several targets one for all of its."""
    needs_whole_path: bool = False
    """The last words of a path are not enough: they are names of something else too."""


@dataclasses.dataclass(frozen=True, slots=True)
class ResolvedGate:
    """A gate that can be judged."""

    gate: GateExpression
    group: FieldGroup
    field: Field
    subjects: tuple[str, ...]
    """Those that it names, or all of the group; empty where the field is of the result as a whole."""
    names_one: bool
    """It names a single subject, whose value may not be absent."""
    limit: float | str | bool
    """In the unit of the field, or a share."""

    @property
    def is_share(self) -> bool:
        """A percentage of a count is meant."""
        return self.gate.limit.is_percent and self.field.is_whole_number


def resolve(gate: GateExpression, groups: Sequence[FieldGroup]) -> ResolvedGate:
    """Find what a gate asks for. Raises PlanError, with the nearest name, where there is no such thing, or several."""
    subject, path = _split(gate.path, groups)
    inside = _having(subject, groups)
    found = _matches(path, inside)
    if subject and (whole := _matches(gate.path, groups)):
        # A target may have the name that a field begins with.
        if found:
            raise PlanError(
                f"the gate {gate.text!r}: {gate.path!r} may be {found[0][1].text} of {subject!r} alone, or "
                f"{whole[0][1].text} of all; write {subject}.{found[0][1].text}, or give the target another name"
            )
        subject, path, inside, found = "", gate.path, list(groups), whole
    if not found:
        raise PlanError(f"the gate {gate.text!r}: {_unknown(gate, subject, path, groups)}")
    if len(found) > 1:
        listed = ", ".join(field.text for _, field in found[:_MAX_CANDIDATES])
        more = f" and {len(found) - _MAX_CANDIDATES} more" if len(found) > _MAX_CANDIDATES else ""
        raise PlanError(f"the gate {gate.text!r}: {path!r} may be any of {listed}{more}; write more of the path")
    group, field = found[0]
    if group.name and not group.subjects:
        raise PlanError(f"the gate {gate.text!r}: {field.text} is of {group.name}, and there are none")
    subjects = group.subsets.get(subject) or ((subject,) if subject else group.subjects)
    return ResolvedGate(gate, group, field, subjects, bool(subject) and len(subjects) == 1, _limit(gate, path, field))


def _split(path: str, groups: Sequence[FieldGroup]) -> tuple[str, str]:
    """The subject that a path begins with, and the rest. The longest counts: `gap:1` and `gap:1.5s` may both exist."""
    names = {"".join(one.split()): one for group in groups for one in (*group.subsets, *group.subjects)}
    for joined in sorted(names, key=len, reverse=True):
        if path.startswith(f"{joined}."):
            return names[joined], path[len(joined) + 1 :]
    return "", path


def _having(subject: str, groups: Sequence[FieldGroup]) -> list[FieldGroup]:
    """The groups that have a subject of this name; all where there is no name."""
    return [group for group in groups if not subject or subject in group.subjects or subject in group.subsets]


def _matches(path: str, groups: Sequence[FieldGroup]) -> list[tuple[FieldGroup, Field]]:
    """The fields whose words are those of the path; else those whose last words are."""
    words = name_of(path).words
    if not words:
        return []
    pairs = [(group, field) for group in groups for field in group.fields]
    whole = [(group, field) for group, field in pairs if field.words == words]
    return whole or [
        (group, field) for group, field in pairs if not group.needs_whole_path and field.words[-len(words) :] == words
    ]


def _unknown(gate: GateExpression, subject: str, path: str, groups: Sequence[FieldGroup]) -> str:
    """Why there is no such field, and what is near."""
    if subject:
        for group, field in _matches(path, groups):
            near = [one for one in group.subjects if subject in one.split("/")]
            if near:
                return f"{field.text} is of {group.name}; write {near[0]}.{path}"
    inside = _having(subject, groups)
    near_field = _near_field(path, inside)
    found = None if subject else _unknown_subject(gate.path, groups, near_field)
    if found is not None:
        return found
    hint = f"did you mean {near_field!r}?" if near_field else "docs/gates.md says which there are"
    return f"the field {path!r} is unknown; {hint}"


def _unknown_subject(path: str, groups: Sequence[FieldGroup], near_field: str) -> str | None:
    """Where a field stands behind it, the first part is meant to be a subject.

    Unless that is one of many fields, as `p99` is, and the whole resembles another one.
    """
    parts = path.split(".")
    for number in range(1, len(parts)):
        found = [group for group, _ in _matches(".".join(parts[number:]), groups) if group.subjects]
        if not found:
            continue
        asked, names = ".".join(parts[:number]), (*found[0].subsets, *found[0].subjects)
        near = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
        if near or len(found) == 1 or not near_field:
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names[:_MAX_CANDIDATES])}"
            return f"{asked!r} is none of the {found[0].name}; {hint}"
    return None


def _near_field(path: str, groups: Sequence[FieldGroup]) -> str:
    """A field with all of the words, or with nearly the same ones; empty where there is none."""
    words = name_of(path).words
    fields = [field for group in groups for field in group.fields]
    having = [field for field in fields if words and set(words) <= set(field.words)]
    if having:
        return min(having, key=lambda field: len(field.words)).text
    written = _written(groups)
    near = difflib.get_close_matches(".".join(words), written, n=1)
    return written[near[0]] if near else ""


def _written(groups: Sequence[FieldGroup]) -> Mapping[str, str]:
    """How fields can be asked for, with and without the first part of the path, and the shortest of it to show."""
    written: dict[str, str] = {}
    for group in groups:
        for field in group.fields:
            written.setdefault(".".join(field.words), field.text)
            for start in range(1, len(field.path)):
                rest = ".".join(field.path[start:])
                written.setdefault(".".join(name_of(rest).words), rest)
    return written


def _limit(gate: GateExpression, path: str, field: Field) -> float | str | bool:
    """The limit in the field's unit. Raises PlanError where it is of another kind."""
    limit, where = gate.limit, f"the gate {gate.text!r}: {field.text}"
    if field.kind in (ValueKind.TEXT, ValueKind.TRUTH) or (field.kind is ValueKind.ANY and limit.word):
        return _word(gate, field, where)
    if limit.word:
        raise PlanError(f"{where} is a number; {limit.word!r} is none")
    asked = name_of(path).unit
    if field.is_time:
        return _time(limit, asked, field, where)
    if limit.duration_ns is not None or (asked in TIME_UNITS_NS and asked != name_of(field.text).unit):
        raise PlanError(f"{where} is not a time")
    assert limit.number is not None
    if limit.is_percent and (field.unit or (field.is_whole_number and not field.part_of)):
        raise PlanError(f"{where} is not a share, so that a percentage means nothing")
    return limit.number


def _word(gate: GateExpression, field: Field, where: str) -> str | bool:
    """The limit of a field that is no number, or may be none."""
    word = gate.limit.word or gate.text.rpartition(gate.operator)[2].strip()
    if gate.operator not in _EQUALITY:
        raise PlanError(f"{where} is no number, so that only == and != compare it with {word}")
    if field.choices and word not in field.choices:
        raise PlanError(f"{where} is never {word!r}; it is one of {', '.join(field.choices)}")
    if field.kind is ValueKind.TRUTH and word not in _TRUTHS:
        raise PlanError(f"{where} is true or false, not {word!r}")
    return word if field.kind is ValueKind.TEXT else _TRUTHS.get(word, word)


def _time(limit: Limit, asked: str, field: Field, where: str) -> float:
    unit_ns = TIME_UNITS_NS[field.unit]
    if limit.duration_ns is not None:
        return limit.duration_ns / unit_ns
    if limit.is_percent:
        raise PlanError(f"{where} is a time, so that a percentage means nothing")
    assert limit.number is not None
    if asked not in TIME_UNITS_NS and limit.number:
        raise PlanError(f"{where} is a time; give the limit a unit, like 50ms, or name one in the path, like _ms")
    return limit.number * TIME_UNITS_NS.get(asked, 1) / unit_ns
