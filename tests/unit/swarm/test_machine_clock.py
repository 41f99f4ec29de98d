"""Which clock a process reads."""

from __future__ import annotations

from pathlib import Path

from loadgen.swarm.machine_clock import clock_id


def test_a_time_namespace_has_a_clock_of_its_own(tmp_path: Path) -> None:
    boot_id, offsets = tmp_path / "boot_id", tmp_path / "offsets"
    assert clock_id(boot_id, offsets) is None
    boot_id.write_text("f9b4\n", encoding="ascii")
    assert clock_id(boot_id, offsets) == "f9b4"  # a kernel without time namespaces
    offsets.write_text("monotonic           0         0\nboottime            7         0\n", encoding="ascii")
    assert clock_id(boot_id, offsets) == "f9b4"
    offsets.write_text("monotonic        -1000         5\nboottime            0         0\n", encoding="ascii")
    assert clock_id(boot_id, offsets) == "f9b4+-1000:5"


def test_two_processes_of_a_machine_read_one_clock() -> None:
    assert clock_id() == clock_id()
    assert clock_id()
