"""Processors are asked to stay awake, where that is allowed."""

from __future__ import annotations

from pathlib import Path

from loadgen.drive.system.idle_states import processors_awake


def test_the_kernel_is_asked_for_no_latency(tmp_path: Path) -> None:
    file = tmp_path / "latency"
    file.write_bytes(b"")
    with processors_awake(file) as awake:
        assert awake
        assert file.read_bytes() == bytes(4)


def test_where_it_is_not_allowed_everything_stays_as_it_is(tmp_path: Path) -> None:
    with processors_awake(tmp_path / "missing") as awake:
        assert not awake
    with processors_awake(Path("/dev/full")) as awake:
        assert not awake
