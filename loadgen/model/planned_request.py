"""One of several requests of a run, and its form in JSON. Reads no file, sends nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from loadgen.model.csv_values import NO_VALUES, CsvValues
from loadgen.model.json_types import (
    JSON_BASE64,
    JSON_PAIR,
    JSON_TEXT,
    JSON_TEXTS,
    JSON_TRUTH,
    JSON_WHOLE,
    JsonType,
    list_of,
    object_of,
)
from loadgen.model.redaction import (
    is_redacted_field,
    missing_in_url,
    missing_names,
    redact_body,
    redact_field,
    redact_url,
)

_KEYS: dict[str, JsonType] = {
    "name": JSON_TEXT, "weight": JSON_WHOLE, "method": JSON_TEXT, "origin": JSON_TEXT, "path": JSON_TEXT,
    "headers": list_of(JSON_PAIR), "body_base64": JSON_BASE64, "is_template": JSON_TRUTH, "columns": JSON_TEXTS,
    "rows": list_of(JSON_TEXTS), "chunked": JSON_TRUTH,
}  # fmt: skip
_ADDED_LATER = {"chunked"}
JSON_REQUEST = object_of("an object of a request", "objects of requests", _KEYS, _ADDED_LATER)


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """What it has of its own; the plan's method, header fields and body stand for what it lacks."""

    name: str
    """Its results stand under it."""
    path: str
    """In origin-form (RFC 9112 §3.2.1)."""
    weight: int = 1
    """How often it is sent, compared with the others."""
    method: str = ""
    origin: str = ""
    """What its URL begins with, as `Target.base_url` says it; empty where that is the target's."""
    headers: tuple[tuple[str, str], ...] = ()
    """They replace the plan's of the same names."""
    body: bytes = b""
    is_template: bool = False
    """Path, values of header fields and body are templates (model/request_template.py)."""
    values: CsvValues = NO_VALUES
    """What they may take from a file."""
    chunked: bool = False
    """The body goes in chunks; so it does where the plan says it of all."""

    @property
    def missing(self) -> str:
        """What a record lacks of it, as it is secret; empty where nothing is missing."""
        fields = [f"its header {name}" for name, text in self.headers if is_redacted_field(text)]
        names = [*missing_in_url(self.path), *missing_names(self.body)]
        rows = ["what its csv holds"] if self.values.columns and not self.values.rows else []
        return next(iter([*fields, *(f"its {name}" for name in names), *rows]), "")

    def record(self, *, secrets: bool) -> dict[str, Any]:
        """As JSON values. Without `secrets`, HIDDEN stands for each credential."""
        return {
            "name": self.name,
            "weight": self.weight,
            "method": self.method,
            "origin": self.origin,
            "path": self.path if secrets else redact_url(self.path),
            "headers": [[name, text if secrets else redact_field(name, text)] for name, text in self.headers],
            "is_template": self.is_template,
            "columns": list(self.values.columns),
            # Rows of users are what no record should hold.
            "rows": [list(row) for row in self.values.rows] if secrets else [],
            "body_base64": base64.b64encode(self.body if secrets else redact_body(self.body)).decode("ascii"),
            "chunked": self.chunked,
        }

    def over(self, method: str, headers: tuple[tuple[str, str], ...], body: bytes) -> dict[str, Any]:
        """The plan's method, header fields and body with its own in their place."""
        own = {name.lower() for name, _ in self.headers}
        kept = (field for field in headers if field[0].lower() not in own)
        return {"method": self.method or method, "headers": (*kept, *self.headers), "body": self.body or body}

    @classmethod
    def restore(cls, value: dict[str, Any]) -> PlannedRequest:
        """The inverse of `record`."""
        fields = {key: one for key, one in value.items() if key not in ("headers", "body_base64", "columns", "rows")}
        headers = tuple((name, text) for name, text in value["headers"])
        values = CsvValues(tuple(value["columns"]), tuple(map(tuple, value["rows"])))
        return cls(**fields, headers=headers, body=base64.b64decode(value["body_base64"]), values=values)
