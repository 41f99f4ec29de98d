"""The type of --template-csv: the name of a file whose columns go into requests. See value_types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.model.csv_values import CsvValues, read_csv
from loadgen.model.exceptions import PlanError
from loadgen.model.file_value_types import FileName
from loadgen.model.json_types import JSON_TEXT, JSON_TEXTS, list_of, object_of, or_null

_KEYS = {"file": JSON_TEXT, "columns": JSON_TEXTS, "rows": list_of(JSON_TEXTS)}


class CsvFile(FileName):
    """It is read when the plan is made. A record has its name and columns, and no row."""

    holds_secrets = True
    json = or_null(object_of("an object of a CSV file", "objects of CSV files", _KEYS))

    def from_folder(self, value: str, folder: Path) -> str:
        return str(folder / value)

    def make(self, value: str) -> CsvValues | None:
        if not value:  # Locust's form, where nothing is said
            return None
        try:
            return read_csv(Path(value).absolute())
        except PlanError as error:
            raise PlanError(f"--template-{error}") from None

    def write(self, value: CsvValues | None) -> str | None:
        return None if value is None else value.file

    def record(self, value: CsvValues | None, *, secrets: bool) -> dict[str, Any] | None:
        if value is None:
            return None
        rows = [list(row) for row in value.rows] if secrets else []
        return {"file": value.file, "columns": list(value.columns), "rows": rows}

    def restore(self, value: dict[str, Any] | None) -> CsvValues | None:
        if value is None:
            return None
        return CsvValues(tuple(value["columns"]), tuple(map(tuple, value["rows"])), value["file"])
