"""The machine itself: by the generator's own work."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.diff.machine_control import busy_share, machine_control, moved_apart
from tests.support.simulated_diffs import OWN_NS, run


def test_how_far_the_machine_was_another() -> None:
    random = np.random.default_rng(1)
    old, new = run(random), run(random, slowness=2.0)
    found = machine_control(["persistent", "close"], old, new)
    assert found == {"old_own_mean_ns": OWN_NS, "new_own_mean_ns": 2 * OWN_NS, "moved": pytest.approx(np.log(2))}
    assert machine_control([], old, new) is None
    assert moved_apart("persistent", "close", old, new) == 0


def test_throughput_follows_latency_as_far_as_users_wait() -> None:
    """Two users, 100 answers of 1 ms in 1.5 s: each waits for 50 of 1,500 ms."""
    one = run(np.random.default_rng(1))
    assert busy_share("persistent", [one]) == pytest.approx(0.05 / 1.5, rel=0.1)
    slower = run(np.random.default_rng(1), slowness=3.0)
    assert busy_share("persistent", [one, slower]) == pytest.approx(3 * busy_share("persistent", [one]))
    assert busy_share("persistent", [run(np.random.default_rng(1), slowness=1_000.0)]) == 1
