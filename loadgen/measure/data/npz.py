"""Samples with their blocks as one file, `samples.npz`. Decides nothing about when it is written or what goes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from loadgen.measure.data.rows import Samples
from loadgen.model.records import ABSENT, COLUMNS

SAMPLES_FILE = "samples.npz"
_ADDED = ("tunnel", "own", "wait_delay", "connect_delay")  # columns that the first version did not have


def write_samples(file: BinaryIO, samples: Samples, merged: Iterable[str] = ()) -> None:
    """merged: names of the workers' folders whose samples are among these. Raises OSError."""
    # Samples and blocks in one file, so that neither is ever there without the other.
    more = {"blocks": samples.blocks, "parts": sorted(merged)}
    texts = {name: np.frombuffer(json.dumps(value).encode(), np.uint8) for name, value in more.items()}
    np.savez(file, **samples.columns, **texts)  # type: ignore[arg-type] # its stubs name only allow_pickle


def read_samples(path: Path, policies: tuple[str, ...]) -> Samples:
    """The samples in the file. Raises OSError, and KeyError, ValueError or BadZipFile where it holds none."""
    with path.open("rb") as file, np.load(file) as columns:
        blocks = json.loads(columns["blocks"].tobytes())
        found = {name: columns[name] for name in COLUMNS if name in columns.files or name not in _ADDED}
        size = len(found["policy"])
        # What an earlier version did not know did not happen, or was not measured, in its runs.
        found |= {name: np.full(size, ABSENT, np.int8) for name in _ADDED if name not in found}
        return Samples(policies, {name: found[name] for name in COLUMNS}, blocks)


def read_merged_folders(path: Path) -> set[str]:
    """Names of the workers' folders whose samples are in the file; raises as `read_samples` does."""
    with path.open("rb") as file, np.load(file) as columns:
        return set(json.loads(columns["parts"].tobytes())) if "parts" in columns.files else set()
