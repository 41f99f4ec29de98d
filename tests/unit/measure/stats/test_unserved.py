"""Connections that were not served, told from a server that is slow to all."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.stats.unserved import unserved_share
from loadgen.model.units import NS_PER_MS
from tests.support.summaries import policy_summary


def summary(*, unserved: int | None, ideal: int = 50, p99_ms: float | None = 4, reused: float = 1.0) -> Any:
    """Of 5 blocks, each with a window of 1 s. unserved: None in a run of an earlier version."""
    found = policy_summary(seconds=5.0, blocks=5)
    found["latency_ns"]["p99"] = None if p99_ms is None else round(p99_ms * NS_PER_MS)
    found["connections"] |= {"ideal": ideal, "reuse_ratio": reused}
    if unserved is not None:
        found["connections"]["unserved"] = unserved
    return found


@pytest.mark.parametrize(
    ("found", "share"),
    [
        (summary(unserved=40), 0.8),
        (summary(unserved=5), 0.1),
        (summary(unserved=4), 0.0),  # a lost SYN or two
        (summary(unserved=60), 1.0),
        (summary(unserved=40, p99_ms=300), 0.0),  # the window is too short for this server
        (summary(unserved=40, p99_ms=None), 0.0),
        (summary(unserved=40, reused=0.0), 0.8),  # SYNs that were lost
        (summary(unserved=0, ideal=0), 0.0),
        (summary(unserved=None), 0.0),
    ],
)
def test_the_share(found: Any, share: float) -> None:
    assert unserved_share(found) == pytest.approx(share)
