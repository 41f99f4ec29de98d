"""What a calibration takes from samples, by hand."""

from __future__ import annotations

import numpy as np

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.spreads import phase_spreads, spread, stamp_delays
from loadgen.model.records import COLUMNS


def test_a_spread_has_quartiles() -> None:
    assert spread(range(101)) == {"count": 101, "min": 0, "q1": 25, "p50": 50, "q3": 75, "p99": 99}
    assert spread([]) is None


def samples_of(policies: tuple[str, ...], rows: list[dict[str, int]]) -> Samples:
    columns = {name: np.array([row.get(name, -1) for row in rows], np.int64) for name in COLUMNS}
    return Samples(policies, columns, [])


def test_phases_are_of_the_policy_that_has_nothing_else_in_them() -> None:
    http = samples_of(
        ("persistent", "close"),
        [
            {"policy": 0, "connect": 999, "send": 5, "wait": 10, "receive": 1, "wait_delay": 7},
            {"policy": 0, "send": 5, "wait": 10, "receive": 1, "wait_delay": 16},  # a stamp of other bytes
            {"policy": 0, "send": 5, "wait": 999, "receive": 1, "error": 4},
            {"policy": 1, "connect": 40, "send": 6, "wait": 99, "receive": 1, "connect_delay": 25, "wait_delay": 1},
        ],
    )
    https = samples_of(
        ("persistent", "close", "close-resume"),
        [
            {"policy": 1, "tls": 700, "tls_resumed": 0},
            {"policy": 2, "tls": 690, "tls_resumed": 0},  # the first, which had no session yet
            {"policy": 2, "tls": 300, "tls_resumed": 1},
        ],
    )
    found = {name: (one["count"], one["p50"]) for name, one in phase_spreads(http, https).items()}
    assert found == {
        "connect": (1, 40), "send": (2, 5), "wait": (2, 10), "receive": (2, 1), "tls_full": (1, 700),
        "tls_resumed": (1, 300),
    }  # fmt: skip
    delays = {name: (one["count"], one["p50"]) for name, one in stamp_delays(http).items()}
    assert delays == {"connect": (1, 25), "wait": (1, 7)}
