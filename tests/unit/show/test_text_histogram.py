"""Histograms of text: one scale for all policies, and nothing that is there at all disappears."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.stats.latency_bins import latency_bins
from loadgen.show.text_histogram import BARS, histogram_lines


def summary(**latencies_ns: list[int]) -> Any:
    """As much of one as is looked at."""
    policies = {name: {"latency_ns": {"histogram": latency_bins(np.array(ns))}} for name, ns in latencies_ns.items()}
    return {"sweep": None, "policies": policies}


@pytest.mark.parametrize("width", [120, 80, 45])
def test_all_policies_have_one_scale(width: int) -> None:
    fast, slow, scale = histogram_lines(summary(fast=[100_000] * 9 + [900_000], slow=[1_000_000] * 5), width)
    assert max(map(len, (fast, slow, scale))) <= width
    bars = fast.removeprefix("fast  ")
    assert (bars[0], bars[-1]) == (BARS[7], BARS[1])  # nine tenths of the requests, and one
    assert set(slow.removeprefix("slow")) == {" ", "█"}  # all in one bin
    assert slow.index("█") >= len(fast)
    assert scale.split()[:2] == ["100", "µs"]
    assert scale.endswith("1.12 ms")


def test_what_can_t_be_drawn_is_left_out() -> None:
    assert histogram_lines(summary(), 80) == []
    assert histogram_lines(summary(one=[1]), 20) == []
    assert histogram_lines({"sweep": None, "policies": {"old": {"latency_ns": {}}}}, 80) == []  # type: ignore[typeddict-item] # an earlier version's
    (line, scale) = histogram_lines(summary(one=[1000, 1000]), 80)
    assert (line, scale) == ("one  ███", "     1.00 µs 1.12 µs")
