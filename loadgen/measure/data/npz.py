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
_ADDED = ("tunnel",)  # columns that the first version did not have


def write_samples(file: BinaryIO, samples: Samples, parts: Iterable[str] = ()) -> None:
    """parts: the names of those that these samples hold. Raises OSError."""
    # In one file with their blocks: neither is ever there without the other.
    more = {"blocks": samples.blocks, "parts": sorted(parts)}
    texts = {name: np.frombuffer(json.dumps(value).encode(), np.uint8) for name, value in more.items()}
    np.savez(file, **samples.columns, **texts)  # type: ignore[arg-type] # its stubs name only allow_pickle


def read_samples(path: Path, policies: tuple[str, ...]) -> Samples:
    """What was written there. Raises OSError, and KeyError, ValueError or BadZipFile where it is something else."""
    with path.open("rb") as file, np.load(file) as columns:
        blocks = json.loads(columns["blocks"].tobytes())
        found = {name: columns[name] for name in COLUMNS if name in columns.files or name not in _ADDED}
        size = len(found["policy"])
        # What an earlier version knew nothing of did not happen in its runs.
        found |= {name: np.full(size, ABSENT, np.int8) for name in _ADDED if name not in found}
        return Samples(policies, {name: found[name] for name in COLUMNS}, blocks)


def read_parts(path: Path) -> set[str]:
    """The names of the parts that the file's samples hold; raises as `read_samples` does."""
    with path.open("rb") as file, np.load(file) as columns:
        return set(json.loads(columns["parts"].tobytes())) if "parts" in columns.files else set()
