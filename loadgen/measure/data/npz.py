"""Samples with their blocks as one file, `samples.npz`. Decides nothing about when it is written or what goes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import FIELDS, BlockHistograms
from loadgen.measure.data.rows import Samples
from loadgen.model.records import ABSENT, COLUMNS

SAMPLES_FILE = "samples.npz"
HISTOGRAM_PREFIX = "histogram_"
ADDED_COLUMNS = (
    "tunnel",
    "own",
    "wait_delay",
    "connect_delay",
    "request",
    "continue_wait",
    "address",
)  # columns that the first version did not have


def write_samples(file: BinaryIO, samples: Samples, merged: Iterable[str] = (), **more: Any) -> None:
    """merged: names of the workers' folders whose samples are among these. more: arrays and JSON values beside them.

    Raises OSError.
    """
    # Samples and blocks in one file, so that neither is ever there without the other.
    values = {"blocks": samples.blocks, "parts": sorted(merged), **more}
    arrays = {
        name: value if isinstance(value, np.ndarray) else np.frombuffer(json.dumps(value).encode(), np.uint8)
        for name, value in values.items()
    }
    histograms = samples.histograms.columns
    if len(histograms["count"]):
        arrays |= {f"{HISTOGRAM_PREFIX}{name}": column for name, column in histograms.items()}
    # Most runs have one address, and are not to be longer for those that have several.
    columns = {name: one for name, one in samples.columns.items() if name != "address" or (one != ABSENT).any()}
    np.savez(file, **columns, **arrays)  # type: ignore[arg-type] # its stubs name only allow_pickle


def read_samples(path: Path, policies: tuple[str, ...]) -> Samples:
    """The samples in the file. Raises OSError, and KeyError, ValueError or BadZipFile where it holds none."""
    return samples_of(read_arrays(path), policies)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Everything in the file, by name; raises as `read_samples` does."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def samples_of(arrays: Mapping[str, NDArray[Any]], policies: tuple[str, ...]) -> Samples:
    """The samples among what a file holds. Raises KeyError or ValueError where there are none."""
    blocks = json.loads(arrays["blocks"].tobytes())
    found = {name: arrays[name] for name in COLUMNS if name in arrays or name not in ADDED_COLUMNS}
    size = len(found["policy"])
    # What an earlier version did not know did not happen, or was not measured, in its runs.
    found |= {name: np.full(size, ABSENT, np.int8) for name in ADDED_COLUMNS if name not in found}
    samples = Samples(policies, {name: found[name] for name in COLUMNS}, blocks)
    if f"{HISTOGRAM_PREFIX}count" not in arrays:
        return samples
    return replace(samples, histograms=BlockHistograms({name: arrays[f"{HISTOGRAM_PREFIX}{name}"] for name in FIELDS}))


def read_merged_folders(path: Path) -> set[str]:
    """Names of the workers' folders whose samples are in the file; raises as `read_samples` does."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as columns:
        return set(json.loads(columns["parts"].tobytes())) if "parts" in columns.files else set()
