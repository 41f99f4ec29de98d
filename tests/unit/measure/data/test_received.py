"""A file of samples that came over a network: taken as it was sent, refused in words where it is something else."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgen.measure.data.received import check_file, max_file_bytes
from loadgen.model.records import COLUMNS
from tests.support.swarm_messages import sample_file

Arrays = dict[str, Any]


def written(path: Path, change: Callable[[Arrays], Arrays], compressed: bool = False) -> Path:
    """A file with the arrays of a good one, but for a change."""
    with np.load(io.BytesIO(sample_file())) as found:
        arrays = change(dict(found))
    save: Any = np.savez_compressed if compressed else np.savez
    save(path, **arrays)
    return path


def with_blocks(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Arrays], Arrays]:
    def changed(arrays: Arrays) -> Arrays:
        blocks = json.loads(arrays["blocks"].tobytes())
        change(blocks)
        return arrays | {"blocks": np.frombuffer(json.dumps(blocks).encode(), np.uint8)}

    return changed


@pytest.mark.parametrize("rounds", [1, 3])
def test_what_a_worker_sends_is_taken(tmp_path: Path, rounds: int) -> None:
    (tmp_path / "f").write_bytes(sample_file(rounds))
    check_file(tmp_path / "f", 2, 1000)
    assert len(sample_file(rounds)) < max_file_bytes(1000)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda arrays: arrays | {"more": np.zeros(1, int)}, "something else than samples"),
        (lambda arrays: {name: arrays[name] for name in arrays if name != "send"}, "it has no send"),
        (lambda arrays: {name: arrays[name] for name in arrays if name != "blocks"}, "it has no blocks"),
        (lambda arrays: arrays | {"send": arrays["send"][1:]}, "different lengths"),
        (lambda arrays: arrays | {"send": arrays["send"].astype(float)}, "not one of integers"),
        (lambda arrays: arrays | {"send": arrays["send"].reshape(1, -1)}, "not one of integers"),
        (lambda arrays: arrays | {"send": np.array([object()])}, "not one of integers"),
        (lambda arrays: arrays | {"policy": arrays["policy"] + 7}, "unknown policy"),
        (lambda arrays: arrays | {"error": np.full_like(arrays["error"], 126)}, "unknown kind of error"),
        (lambda arrays: arrays | {"blocks": np.frombuffer(b"no JSON", np.uint8)}, "Expecting value"),
        (with_blocks(lambda blocks: blocks.append({})), r"blocks\[2\] has no"),
        (with_blocks(lambda blocks: blocks[0].update(index="0")), r"blocks\[0\]\.index is not a whole number"),
        (with_blocks(lambda blocks: blocks[0].update(spy=1)), "a key that is unknown"),
        (lambda arrays: arrays | {name: np.zeros(2_000_000, np.int8) for name in COLUMNS}, "too long"),
    ],
)
def test_what_is_no_file_of_samples_is_refused(tmp_path: Path, change: Callable[[Arrays], Arrays], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        check_file(written(tmp_path / "f.npz", change), 2, 1000)


def test_what_would_be_unpacked_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "f.npz", lambda arrays: arrays, compressed=True)
    with pytest.raises(ValueError, match="compressed"):
        check_file(path, 2, 1000)


def test_a_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<i8", "fortran_order": False, "shape": (1 << 60,)})
    with zipfile.ZipFile(tmp_path / "f", "w") as archive:
        archive.writestr("policy.npy", header.getvalue())
    with pytest.raises(ValueError, match="another length"):
        check_file(tmp_path / "f", 2, 1000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_a_value_error_or_none(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(sample_file())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(-3000, len(content) - 1))  # the archive's list of contents is at its end
        content[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    path = tmp_path / "f"
    path.write_bytes(content[:cut])
    with contextlib.suppress(ValueError):
        check_file(path, 2, 1000)
