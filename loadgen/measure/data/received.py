"""A file of samples that came over a network, looked at before anything else reads it. Decides nothing about the run.

Nothing in it is unpacked or made into a Python object: arrays of integers lie in it as they are (NumPy's NPY format
inside a ZIP archive without compression), and blocks as JSON of a limited size.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from loadgen.measure.data.block_histograms import FIELDS
from loadgen.measure.data.npz import ADDED_COLUMNS, HISTOGRAM_PREFIX
from loadgen.model.block_facts import BlockFacts
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, COLUMNS
from loadgen.model.typed_json import misfit

_MAX_JSON_BYTES = 64 << 20
_TEXTS = ("blocks", "parts")
_HISTOGRAMS = tuple(f"{HISTOGRAM_PREFIX}{name}" for name in FIELDS)
_ROW_BYTES = 8 * len(COLUMNS)
_MORE_BYTES = 256 << 20
"""Beside the samples: blocks and histograms."""


def max_file_bytes(max_samples: int) -> int:
    """The longest file that a worker can have to send. max_samples: how many it may keep."""
    return _max_rows(max_samples) * _ROW_BYTES + _MORE_BYTES


def _max_rows(max_samples: int) -> int:
    """Those that failed may be kept beside the share, which is drawn about, not exactly."""
    return 4 * max_samples + 1_000_000


def check_file(path: Path, policies: int, max_samples: int) -> None:
    """Raise ValueError, in words for people, where it is no file of samples; OSError where it can't be read.

    policies: how many cells the plan has. max_samples: how many the worker may keep.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            shapes = {entry.filename: _length(archive, entry) for entry in _entries(archive)}
            _check_lengths(shapes, _max_rows(max_samples))
            _check_blocks(_array(archive, "blocks"))
            check_columns({name: _array(archive, name) for name in ("policy", "error")}, policies)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise ValueError(f"it is damaged: {error}") from None


def check_columns(columns: Mapping[str, NDArray[Any]], policies: int) -> None:
    """Raise ValueError where numbers in them stand for nothing."""
    policy, error = columns["policy"], columns["error"]
    if len(policy) and not 0 <= int(policy.min()) <= int(policy.max()) < policies:
        raise ValueError("it has samples of an unknown policy")
    if not {ABSENT, *map(int, ErrorKind)}.issuperset(np.unique(error).tolist()):
        raise ValueError("it has samples with an unknown kind of error")


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    known = {f"{name}.npy" for name in (*COLUMNS, *_TEXTS, *_HISTOGRAMS)}
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or not known.issuperset(names):
        raise ValueError("it holds something else than samples")
    if any(one.compress_type != zipfile.ZIP_STORED or one.file_size != one.compress_size for one in entries):
        raise ValueError("it is compressed")  # a little of it could become very much
    return entries


def _length(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """The length of an array of integers, by its header."""
    with archive.open(entry) as file:
        if npy.read_magic(file) != (1, 0):
            raise ValueError("an array has another format")
        shape, is_fortran, kind = npy.read_array_header_1_0(file)
        if len(shape) != 1 or is_fortran or kind.kind not in "iu":
            raise ValueError("it has an array that is not one of integers")
        if entry.file_size != file.tell() + shape[0] * kind.itemsize:
            raise ValueError("it has an array of another length than it says")
    return int(shape[0])


def _check_lengths(lengths: Mapping[str, int], max_rows: int) -> None:
    needed = [name for name in COLUMNS if name not in ADDED_COLUMNS]
    missing = [name for name in (*needed, "blocks") if f"{name}.npy" not in lengths]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    for names in (COLUMNS, _HISTOGRAMS):
        if len({lengths[f"{name}.npy"] for name in names if f"{name}.npy" in lengths}) > 1:
            raise ValueError("its columns have different lengths")
    is_long = any(lengths.get(f"{name}.npy", 0) > _MAX_JSON_BYTES for name in _TEXTS)
    if is_long or lengths["policy.npy"] > max_rows:
        raise ValueError("it is too long")


def _check_blocks(encoded: NDArray[Any]) -> None:
    blocks = json.loads(encoded.tobytes())
    if found := misfit(blocks, list[BlockFacts], "blocks"):
        raise ValueError(found)


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        found: NDArray[Any] = npy.read_array(file, allow_pickle=False)
        return found
