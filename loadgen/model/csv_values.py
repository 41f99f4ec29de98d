"""The rows of a CSV file whose columns go into requests. Sends nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import read_input

_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class CsvValues:
    """What a file holds; its first line names the columns."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    file: str = field(default="", compare=False)
    """Its name, for people."""


NO_VALUES = CsvValues()


def read_csv(path: Path) -> CsvValues:
    """Read the file (RFC 4180). Raises PlanError, which names file and line."""
    try:
        lines = read_input(path, "csv", _MAX_BYTES).decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError:
        raise PlanError(f"csv {path} is not in UTF-8") from None
    reader = csv.reader(lines, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    try:
        for row in reader:
            if not row:
                continue
            if not columns:
                columns = tuple(row)
            elif len(row) != len(columns):
                raise PlanError(f"csv {path}, line {reader.line_num}: it has {len(row)} of {len(columns)} values")
            else:
                rows.append(tuple(row))
    except csv.Error as error:
        raise PlanError(f"csv {path}, line {reader.line_num}: {error}") from None
    if not rows:
        raise PlanError(f"csv {path} has no row below the names of its columns")
    if len(set(columns)) < len(columns):
        raise PlanError(f"csv {path}: two columns have the same name")
    return CsvValues(columns, tuple(rows), str(path))
