"""The type of --urls: the name of a file with requests, or their lines themselves. See value_types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.model.json_types import list_of
from loadgen.model.planned_request import JSON_REQUEST, PlannedRequest
from loadgen.model.request_list import as_lines, is_text, read_requests, redact_line
from loadgen.model.value_types import Words


class RequestList(Words):
    """Several requests; read when the plan is made."""

    name = "file"
    holds_secrets = True
    json = list_of(JSON_REQUEST)

    def from_folder(self, value: str, folder: Path) -> str:
        return value if is_text(value) else str(folder / value)

    def make(self, value: str) -> tuple[PlannedRequest, ...]:
        return read_requests(value) if value else ()  # Locust's form has an empty text where nothing is said

    def write(self, value: tuple[PlannedRequest, ...]) -> str | None:
        return as_lines(value) if value else None

    def redact(self, text: str) -> str:
        # What is commented out is no less secret.
        is_list = is_text(text) or text.lstrip().startswith("#")
        return "\n".join(map(redact_line, text.splitlines())) if is_list else text

    def record(self, value: tuple[PlannedRequest, ...], *, secrets: bool) -> list[dict[str, Any]]:
        return [request.record(secrets=secrets) for request in value]

    def restore(self, value: list[dict[str, Any]]) -> tuple[PlannedRequest, ...]:
        return tuple(map(PlannedRequest.restore, value))
