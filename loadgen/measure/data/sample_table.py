"""The samples of a run as a table for analysis: whole columns, with names in place of codes. Reads no file."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.rows import Samples
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, COLUMNS, ClosedBy, Phase

_TIMES = frozenset({*(phase.value for phase in Phase), "scheduled", "late", "lag"})
_LABELS = {
    "error": {int(kind): kind.label for kind in ErrorKind},
    "closed_by": {int(side): side.name.lower() for side in ClosedBy},
}


class SampleTable:
    """One row a counted request; `table["wait_ns"]` is a column.

    Columns of numbers are int64, absent is -1: a phase that did not happen, the status of a request that failed. Times
    end in `_ns`; `latency_ns` is the sum of a request's phases. `policy` (a cell's name in a sweep), `error` and
    `closed_by` are names, empty where there is none.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return (*(f"{name}_ns" if name in _TIMES else name for name in COLUMNS), "latency_ns")

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column. Raises KeyError with a line that names the nearest one."""
        if name not in self.names:
            near = difflib.get_close_matches(name, self.names, n=1)
            raise KeyError(f"no column {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"use {self.names}"))
        if name == "latency_ns":
            return self._samples.latency_ns()
        if name == "policy":
            return np.array(self._samples.policies)[self._samples.columns["policy"]]
        column = self._samples.columns[name.removesuffix("_ns") if name.endswith("_ns") else name]
        return _labelled(column, _LABELS[name]) if name in _LABELS else column.astype(np.int64)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the same columns; absent numbers are <NA>, names are categories.

        Raises ImportError where pandas is not installed.
        """
        try:
            pandas: Any = importlib.import_module("pandas")
        except ImportError:
            raise ImportError("to_pandas() needs pandas; install it with: pip install pandas") from None
        frame = pandas.DataFrame({name: self[name] for name in self.names})
        for name in self.names:
            if name in _LABELS or name == "policy":
                frame[name] = frame[name].astype("category")
            else:
                frame[name] = frame[name].astype("Int64").mask(frame[name] == ABSENT)
        return frame


def _labelled(column: NDArray[Any], labels: dict[int, str]) -> NDArray[Any]:
    """Names for codes; the absent code, -1, picks the last one, which is empty."""
    by_code = np.array([labels.get(code, "") for code in range(max(labels) + 1)] + [""])
    named: NDArray[Any] = by_code[column]
    return named
