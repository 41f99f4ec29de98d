"""TCP Fast Open saves a round trip."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.laboratory.runs import Laboratory

pytestmark = [pytest.mark.alone, pytest.mark.peer]

RTT_MS = 50


def test_fast_open_saves_a_round_trip(laboratory: Laboratory) -> None:
    run = laboratory.compare("http", RTT_MS, "close,close+tcp-fastopen", 1000)
    total_ms = {name: float(np.median(run.phase(name, "total", first=True))) / 1e6 for name in run.policies}
    assert total_ms["close"] == pytest.approx(2 * RTT_MS, abs=0.3 * RTT_MS)
    assert total_ms["close+tcp-fastopen"] == pytest.approx(RTT_MS, abs=0.3 * RTT_MS)
    assert np.median(run.phase("close+tcp-fastopen", "connect")) < 1e6
    assert all(one["errors"] == {} for one in run.policies.values())
