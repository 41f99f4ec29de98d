"""The samples of a run as a table for analysis: whole columns, with names in place of codes. Reads no file."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.rows import Samples
from loadgen.model.address_marks import names_of_marks
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, COLUMNS, ClosedBy, Phase
from loadgen.model.units import count

_INDEX, _POSITION = "request_index", "nth_on_connection"  # as everything else calls it; as samples.npz does
_TIMES = frozenset(
    {
        *(phase.value for phase in Phase),
        "scheduled",
        "late",
        "own",
        "lag",
        "wait_delay",
        "connect_delay",
        "continue_wait",
    }
)
_LABELS = {
    "error": {int(kind): kind.label for kind in ErrorKind},
    "closed_by": {int(side): side.name.lower() for side in ClosedBy},
}


class SampleTable:
    """One row a counted request; `table["wait_ns"]` is a column, and `names` lists them all.

    Columns of numbers are int64, absent is -1: a phase that did not happen, the status of a request that failed. Times
    end in `_ns`; `latency_ns` is the sum of a request's phases. `policy` (a cell's name in a sweep), `error` and
    `closed_by` are names, empty where there is none. So are `target` and `request`, which only runs with several have.
    So is `address`, which only runs have whose connections went to several.
    `request_index` counts the requests on a connection from 0.

    It is a mapping from names to columns, as `dict(table)` takes it, but for its length, which is that of a column.
    """

    def __init__(
        self, samples: Samples, targets: Mapping[str, str] | None = None, requests: Sequence[str] = ()
    ) -> None:
        """targets: the name of each policy's target, where several took turns. requests: those of several requests."""
        self._requests = np.array([*requests, ""])
        self._samples = samples
        self._targets = targets or {}
        # By the blocks, which are the same for each piece of a run's samples.
        self._has_addresses = any(block.get("balance") for block in samples.blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        target = ("target",) if self._targets else ()
        shown = {"request": len(self._requests) > 1, "address": self._has_addresses}
        known = (name for name in COLUMNS if shown.get(name, True))
        return (*target, *map(_public, known), "latency_ns")

    def keys(self) -> tuple[str, ...]:
        """The same, as of a mapping."""
        return self.names

    def __iter__(self) -> Iterator[str]:
        """Over the names of the columns, as a mapping and a DataFrame do."""
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._samples)

    def __repr__(self) -> str:
        return f"<SampleTable: {count(len(self), 'row')} of {', '.join(self.names)}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        raise TypeError('a table of samples is no array; take a column, as in samples["latency_ns"], or to_pandas()')

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column. Raises KeyError with a line that names the nearest one, TypeError where this is no name."""
        if not isinstance(name, str):
            raise TypeError(f'a column is chosen by its name, as in samples["latency_ns"][:10], not by {name!r}')
        if name not in self.names:
            near = difflib.get_close_matches(name, self.names, n=1)
            raise KeyError(f"no column {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"use {self.names}"))
        if name == "latency_ns":
            return self._samples.latency_ns()
        if name in ("policy", "target"):
            policies = self._samples.policies
            named = policies if name == "policy" else [self._targets.get(policy, "") for policy in policies]
            return np.array(named)[self._samples.columns["policy"]]
        if name == "request":
            return self._requests[self._samples.columns["request"]]
        if name == "address":
            return _addresses(self._samples)
        column = self._samples.columns[_POSITION if name == _INDEX else name.removesuffix("_ns")]
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
            if name in _LABELS or name in ("policy", "target", "request", "address"):
                frame[name] = frame[name].astype("category")
            else:
                frame[name] = frame[name].astype("Int64").mask(frame[name] == ABSENT)
        return frame


def _addresses(samples: Samples) -> NDArray[Any]:
    """Where each sample's connection went, as people write it; empty where that is not known."""
    facts = [balance for block in samples.blocks if (balance := block.get("balance"))]
    names = names_of_marks(dict.fromkeys(name for one in facts for name in one["addresses"]))
    marks, positions = np.unique(samples.columns["address"], return_inverse=True)
    return np.array([names.get(mark, "") for mark in marks.tolist()])[positions]


def _public(column: str) -> str:
    """A column's name in the table."""
    if column == _POSITION:
        return _INDEX
    return f"{column}_ns" if column in _TIMES else column


def _labelled(column: NDArray[Any], labels: dict[int, str]) -> NDArray[Any]:
    """Names for codes; the absent code, -1, picks the last one, which is empty."""
    by_code = np.array([labels.get(code, "") for code in range(max(labels) + 1)] + [""])
    named: NDArray[Any] = by_code[column]
    return named
