"""A request that crosses the server's close is lost; who honours the announced idle timeout loses none.

nginx announces `Keep-Alive: timeout=1` and closes after that. The client's clock of it begins half a round trip after
the server's, and its request takes another half: so a gap that ends within the last round trip is too long.
"""

from __future__ import annotations

import pytest

from loadgen.model.errors import ErrorKind
from tests.support.laboratory.runs import Laboratory

pytestmark = [pytest.mark.alone, pytest.mark.peer]

RTT_MS = 200
LOST, SAVED = "gap:900ms", "honour+gap:900ms"


def test_honouring_the_announced_timeout_loses_no_request(laboratory: Laboratory) -> None:
    run = laboratory.compare("idle", RTT_MS, f"{LOST},{SAVED}", 3500)
    lost, saved = run.policies[LOST], run.policies[SAVED]
    assert sum(lost["errors"].get(kind.label, 0) for kind in ErrorKind if kind.is_stale) >= 1
    assert saved["errors"] == {}
    assert saved["requests"] >= 2
    assert saved["connections"]["server_announced"]["keep_alive_timeout_s"] == 1
    assert saved["connections"]["closed_by"] == {"client": saved["connections"]["opened"], "server": 0}
