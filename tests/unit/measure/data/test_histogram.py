"""Histograms: close to the truth at any size, and the sum of two is one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.measure.data.histogram import Histogram

DURATIONS = st.lists(st.integers(0, 1 << 50), min_size=1, max_size=200)


def nearest_rank(values: list[int], share: float) -> int:
    return sorted(values)[max(0, int(np.ceil(share * len(values))) - 1)]


@given(DURATIONS, st.sampled_from([0.01, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_quantile_is_within_its_bin(values: list[int], share: float) -> None:
    found = Histogram().add(np.array(values)).quantile_ns(share)
    assert found == pytest.approx(nearest_rank(values, share), rel=1 / 256, abs=1)


@given(DURATIONS, DURATIONS)
def test_merging_is_the_same_as_counting_all(one: list[int], other: list[int]) -> None:
    merged = Histogram().add(np.array(one))
    merged.merge(json.loads(json.dumps(Histogram().add(np.array(other)).encode())))
    together = Histogram().add(np.array(one + other))
    for share in (0.1, 0.5, 0.99):
        assert merged.quantile_ns(share) == together.quantile_ns(share)
    assert merged.count == len(one + other)
    assert merged.sum_ns == sum(one + other)
    assert merged.max_ns == max(one + other)
    assert merged.mean_ns == together.mean_ns


def test_nothing_counted_has_no_quantile() -> None:
    empty = Histogram().add(np.array([], np.int64))
    assert empty.quantile_ns(0.5) is None
    assert empty.mean_ns is None
    merged = Histogram()
    merged.merge(empty.encode())
    assert merged.count == 0


def test_no_quantile_lies_above_the_greatest_value() -> None:
    assert Histogram().add(np.array([1_000_001] * 5)).quantile_ns(0.99) == 1_000_001


def test_a_million_durations_take_few_bins() -> None:
    values = np.random.default_rng(1).lognormal(12, 1, 1_000_000).astype(np.int64)
    histogram = Histogram().add(values)
    assert len(histogram.encode()["bins"]) < 4_000
    for share in (0.5, 0.99, 0.999):
        assert histogram.quantile_ns(share) == pytest.approx(np.quantile(values, share), rel=0.005)
