"""A server's process is one that runs here, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.drive.system import server_process
from loadgen.drive.system.server_process import ServerProcess
from loadgen.model.exceptions import PlanError


@pytest.mark.parametrize("pid", [-1, 0, 1 << 22, 1 << 40])
def test_a_process_that_is_none_is_refused(pid: int) -> None:
    with pytest.raises(PlanError, match="there is no such process") as refusal:
        ServerProcess(pid)
    assert "\n" not in str(refusal.value)


def test_memory_that_the_kernel_does_not_tell_of_is_no_fact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where /proc is not mounted."""
    assert server_process.own_memory()["rss_bytes"] > 1 << 20
    monkeypatch.setattr(server_process, "PROC", tmp_path)
    assert server_process.own_memory() == {}
