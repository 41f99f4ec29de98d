"""The 40 ms of a delayed acknowledgement are told from a server that is slow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.delayed_acks import delayed_ack_share
from loadgen.model.records import ABSENT, COLUMNS

RANDOM = np.random.default_rng(7)
QUICK, HELD = RANDOM.normal(0.3, 0.05, 1000), RANDOM.uniform(40, 44, 1000)
SLOW, CONSTANT = RANDOM.exponential(40, 1000), RANDOM.normal(41, 0.5, 1000)
MIXED = np.where(np.arange(1000) < 900, QUICK, HELD)


def samples(wait_ms: NDArray[np.float64], receive_ms: NDArray[np.float64], position: int = 1) -> Samples:
    values = {"wait": wait_ms * 1e6, "receive": receive_ms * 1e6, "nth_on_connection": np.full(len(wait_ms), position)}
    columns = {name: values.get(name, np.full(len(wait_ms), ABSENT)).astype(np.int64) for name in COLUMNS}
    return Samples(("persistent",), columns, [])


@pytest.mark.parametrize(
    ("wait_ms", "receive_ms", "share"),
    [
        (QUICK, QUICK, 0.0),
        (QUICK, HELD, 1.0),
        (QUICK, MIXED, 0.1),
        (MIXED, QUICK, 0.1),
        (QUICK + 80, HELD + 80, 1.0),  # a far server: its round trip is added
        (MIXED + 80, QUICK, 0.0),  # none is quick: it may be a slow server
        (CONSTANT, QUICK, 0.0),
        (SLOW, QUICK, 0.0),
        (QUICK, SLOW, 0.0),
        (QUICK, np.where(np.arange(1000) < 995, QUICK, HELD), 0.0),  # too few
    ],
)
def test_the_pattern(wait_ms: NDArray[np.float64], receive_ms: NDArray[np.float64], share: float) -> None:
    assert delayed_ack_share(samples(wait_ms, receive_ms)) == pytest.approx(share, abs=0.001)


def test_first_requests_are_acknowledged_at_once() -> None:
    assert delayed_ack_share(samples(QUICK, HELD, position=0)) == 0.0
    assert delayed_ack_share(samples(QUICK[:0], HELD[:0])) == 0.0
