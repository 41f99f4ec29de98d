"""The samples of a run in pieces, as formats with a row a request write them: a long run never lies in memory twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from loadgen.measure.data.rows import Samples
from loadgen.measure.data.sample_table import SampleTable
from loadgen.model.records import ABSENT
from loadgen.show.export.exporter import RunData

_ROWS = 50_000
"""Rows of one piece: some 20 MB as Python's own values."""
TEXT_COLUMNS = ("target", "policy", "request", "address", "error", "closed_by")
"""The columns that hold names."""


def samples_of(run: RunData) -> Samples:
    """The run's samples. Raises ValueError where there are none at hand, as in a run that goes on."""
    if run.samples is None:
        raise ValueError("this format is made of samples, and only the summary is there")
    return run.samples


def column_names(run: RunData) -> tuple[str, ...]:
    """As `SampleTable` has them."""
    return SampleTable(samples_of(run), _targets(run), _requests(run)).names


def pieces(run: RunData) -> Iterator[dict[str, list[Any]]]:
    """Columns of at most 50,000 rows each, by name; None stands for what is absent."""
    samples, targets, requests = samples_of(run), _targets(run), _requests(run)
    for begin in range(0, len(samples), _ROWS):
        table = SampleTable(samples.of(np.arange(begin, min(begin + _ROWS, len(samples)))), targets, requests)
        yield {name: _values(table, name) for name in table.names}


def _requests(run: RunData) -> list[str]:
    """The names of several requests."""
    return [one["name"] for one in run.summary["plan"].get("urls", ())]


def _targets(run: RunData) -> dict[str, str]:
    """The name of each policy's target, where several took turns."""
    return {name: one["target"] for name, one in run.summary["policies"].items() if "target" in one}


def _values(table: SampleTable, name: str) -> list[Any]:
    """A column of a piece as Python's own values."""
    column = table[name]
    values = column.astype(object)
    values[column == ("" if name in TEXT_COLUMNS else ABSENT)] = None
    found: list[Any] = values.tolist()
    return found
