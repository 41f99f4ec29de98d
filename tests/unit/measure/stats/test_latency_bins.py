"""The bins of a latency histogram."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loadgen.measure.stats.latency_bins import latency_bins


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=50))
def test_each_latency_is_in_one_bin_and_the_bins_have_no_gap(latencies: list[int]) -> None:
    bins = latency_bins(np.array(latencies))
    assert sum(one["count"] for one in bins) == len(latencies)
    assert all(one["high"] == other["low"] for one, other in pairwise(bins))
    assert bins[0]["count"] > 0
    assert bins[-1]["count"] > 0
    # An edge is rounded to a whole nanosecond.
    assert bins[0]["low"] - 1 <= max(min(latencies), 1)
    assert max(latencies) <= bins[-1]["high"] + 1


def test_two_runs_have_the_same_edges() -> None:
    low, high = latency_bins(np.array([900, 1_500])), latency_bins(np.array([1_000, 40_000]))
    edges = {one["low"] for one in high}
    assert {one["low"] for one in low if one["low"] >= 1_000} <= edges


def test_nothing_has_no_bins() -> None:
    assert latency_bins(np.array([], np.int64)) == []
