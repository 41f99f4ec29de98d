"""Which stamps count."""

from __future__ import annotations

import numpy as np

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.stamp_delays import connect_delays, known, wait_delays
from loadgen.model.records import ABSENT, COLUMNS


def test_what_was_not_measured_is_left_out() -> None:
    assert known(np.array([3, ABSENT, 0])).tolist() == [3, 0]


def test_a_stamp_from_before_the_request_is_of_other_bytes() -> None:
    values = {
        "send": (5, 5, 5, 5),
        "wait": (10, 10, 10, 10),
        "wait_delay": (7, 15, 16, ABSENT),
        "connect_delay": (ABSENT, 2, 4, ABSENT),
    }
    columns = {name: np.array(values.get(name, (ABSENT,) * 4), np.int64) for name in COLUMNS}
    samples = Samples(("persistent",), columns, [])
    assert wait_delays(samples).tolist() == [7, 15]
    assert connect_delays(samples).tolist() == [2, 4]
