"""A server's process is one that runs here, or it is refused."""

from __future__ import annotations

import pytest

from loadgen.drive.system.server_process import ServerProcess
from loadgen.model.exceptions import PlanError


@pytest.mark.parametrize("pid", [-1, 0, 1 << 22, 1 << 40])
def test_a_process_that_is_none_is_refused(pid: int) -> None:
    with pytest.raises(PlanError, match="there is no such process") as refusal:
        ServerProcess(pid)
    assert "\n" not in str(refusal.value)
