"""The soak in 8 seconds: nothing is lost, and neither memory nor descriptors of the worker grow."""

from __future__ import annotations

from pathlib import Path

from tests.bench.soak import MAX_GROWTH, report, soak

_CONNECTIONS = 200


def test_a_long_run_is_flat_and_loses_nothing(tmp_path: Path) -> None:
    found = soak(tmp_path, seconds=8, connections=_CONNECTIONS, max_samples=5_000)
    assert found.lost() == {"requests": 0, "connections": 0}
    policies = found.summary["policies"]
    assert sum(sum(one["errors"].values()) for one in policies.values()) > 0
    assert all(one["started"] == one["requests"] + sum(one["errors"].values()) for one in policies.values())
    changes = found.changes()
    assert changes["worker memory"] < MAX_GROWTH, report(found)
    assert max(found.readings["worker"].descriptors) < 2 * _CONNECTIONS + 100
    assert found.readings["command"].descriptors[-1] <= found.readings["command"].descriptors[0] + 2
    assert found.peak_mb < 400  # charts take most of it
