"""Whether what stands in a request's templates can be filled: names that are known, values that fit. Sends nothing."""

from __future__ import annotations

from loadgen.model.csv_values import CsvValues
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_header
from loadgen.model.request_template import Template, check_names


def checked_names(path: str, headers: tuple[tuple[str, str], ...], body: bytes, values: CsvValues) -> list[str]:
    """What the templates ask for. Raises PlanError where that is unknown, or does not fit its place."""
    texts = (path, *(text for _, text in headers), decoded(body))
    names = [name for text in texts for name in Template(text).names]
    check_names(names, values.columns)
    if values.columns and not set(names) & set(values.columns):
        raise PlanError(f"no column of csv {values.file} is used; it has {', '.join(values.columns)}")
    _check_cells(values, headers)
    return names


def decoded(body: bytes) -> str:
    """The body as a text that gives the same bytes again."""
    return body.decode("utf-8", "surrogateescape")


def _check_cells(values: CsvValues, headers: tuple[tuple[str, str], ...]) -> None:
    """What goes into header fields has to fit there."""
    used = {name for _, text in headers for name in Template(text).names}
    for place, column in enumerate(values.columns):
        for row in values.rows if column in used else ():
            check_header(f"X-{place}", row[place])
