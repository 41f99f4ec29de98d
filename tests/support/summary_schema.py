"""The JSON schemas of `summary.json`, of an audit and of a diff, made from the types in `loadgen.model`.

`make docs` writes `docs/summary.schema.json`, `docs/audit.schema.json` and `docs/diff.schema.json` anew. Every
synthetic run of the unit tests, and every real run whose account is checked, goes through `check_summary`; every audit
through `check_audit`, every diff through `check_diff`.
"""

from __future__ import annotations

import ast
import inspect
import json
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import jsonschema

from loadgen.model.audit import AuditRecord
from loadgen.model.block_facts import BlockFacts
from loadgen.model.diff_record import DiffRecord
from loadgen.model.history_record import HistoryRecord
from loadgen.model.summary import Summary

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "summary.schema.json"
AUDIT_SCHEMA_FILE = SCHEMA_FILE.with_name("audit.schema.json")
DIFF_SCHEMA_FILE = SCHEMA_FILE.with_name("diff.schema.json")
HISTORY_SCHEMA_FILE = SCHEMA_FILE.with_name("history.schema.json")

_HINTS = {
    "additionalProperties": "; add it to the type of this object in loadgen/model/ (PlanRecord in plan_record.py for "
    "an option), then run `make docs`",
    "required": "; where runs of earlier versions lack it, its type is NotRequired[...]",
}
"""What to do about an error, by the keyword of the schema that it breaks."""

_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def summary_schema() -> dict[str, Any]:
    """The schema of `summary.json`."""
    return _schema(Summary, "loadgen summary.json")


def audit_schema() -> dict[str, Any]:
    """The schema of what `loadgen probe --json` prints."""
    return _schema(AuditRecord, "loadgen probe --json")


def diff_schema() -> dict[str, Any]:
    """The schema of `diff.json`."""
    return _schema(DiffRecord, "loadgen diff.json")


def _schema(kind: Any, title: str) -> dict[str, Any]:
    """The schema of a TypedDict (JSON Schema 2020-12), in which each other TypedDict is one of the `$defs`."""
    definitions: dict[str, Any] = {}
    _define(kind, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": f"#/$defs/{kind.__name__}",
        "$defs": dict(sorted(definitions.items())),
    }


def check_summary(summary: Any) -> None:
    """Fail, naming each place, unless this is a `summary.json` with all keys of the schema and no other."""
    _check(summary, Summary)


def check_audit(audit: Any) -> None:
    """The same of what `loadgen probe --json` prints."""
    _check(audit, AuditRecord)


def check_diff(diff: Any) -> None:
    """The same of a `diff.json`."""
    _check(diff, DiffRecord)


def check_history(history: Any) -> None:
    """The same of what `loadgen history --json` prints."""
    _check(history, HistoryRecord)


def check_blocks(blocks: Any) -> None:
    """The same of the blocks that `samples.npz` holds."""
    assert blocks
    for block in blocks:
        _check(block, BlockFacts)


@cache
def _validator(kind: Any) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_schema(kind, kind.__name__))


def _check(value: Any, kind: Any) -> None:
    as_read = json.loads(json.dumps(value, allow_nan=False))
    wrong = [
        f"{error.json_path}: {error.message[:200]}{_HINTS.get(str(error.validator), '')}"
        for error in _validator(kind).iter_errors(as_read)
    ]
    assert not wrong, "\n".join(wrong)


def schema_text() -> str:
    """The schema of `summary.json` as the file holds it."""
    return _text(summary_schema())


def audit_schema_text() -> str:
    """The schema of an audit as the file holds it."""
    return _text(audit_schema())


def diff_schema_text() -> str:
    """The schema of a diff as the file holds it."""
    return _text(diff_schema())


def history_schema_text() -> str:
    """The schema of a history as the file holds it."""
    return _text(_schema(HistoryRecord, "loadgen history --json"))


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _define(kind: Any, definitions: dict[str, Any]) -> None:
    """Add a TypedDict and all that it refers to."""
    if kind.__name__ in definitions:
        return
    definition = definitions[kind.__name__] = {
        "description": inspect.cleandoc(kind.__doc__),
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }
    texts = field_texts(kind)
    for name, hint in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        hint = get_args(hint)[0] if optional else hint
        definition["properties"][name] = {"description": texts[name], **_schema_of(hint, definitions)}
        if kind.__total__ and not optional:
            definition["required"].append(name)


def _schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if is_typeddict(hint):
        _define(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _schema_of(inner[0], definitions)}
    if origin is dict and inner[0] is str:
        return {"type": "object", "additionalProperties": _schema_of(inner[1], definitions)}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema_of(one, definitions) for one in inner]}
    raise TypeError(f"no JSON schema for {hint}")


def field_texts(kind: Any) -> dict[str, str]:
    """The text beside each field of a TypedDict, those of its bases included. Raises KeyError where one has none."""
    found: dict[str, str] = {}
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    # A TypedDict keeps its bases from Python 3.12 on only, so they are read from the source.
    for base in body.bases:
        if isinstance(base, ast.Name) and base.id != "TypedDict":
            found |= field_texts(getattr(inspect.getmodule(kind), base.id))
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            if not (isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)):
                raise KeyError(f"{kind.__name__}.{field.target.id} has no text")
            found[field.target.id] = inspect.cleandoc(str(text.value.value))
    return found
