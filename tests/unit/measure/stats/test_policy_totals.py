"""Figures of all requests of a policy, where only some of its samples are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadgen.measure.data.block_histograms import ERROR, LATENCY
from loadgen.measure.data.limiting import limit
from loadgen.measure.stats.policy_samples import policy_samples, quantile
from loadgen.measure.stats.policy_totals import policy_totals
from tests.support.synthetic import full_run


def test_totals_are_those_of_all_samples_also_of_some_rounds(tmp_path: Path) -> None:
    samples = full_run(tmp_path / "run", rounds=3).settle()
    whole = policy_samples(samples, 1, samples.by_policy()[1], 3)
    limited = limit(samples, 60)
    some = policy_samples(limited, 1, limited.by_policy()[1], 3)
    totals = some.totals
    assert totals is not None
    assert whole.totals is None
    assert totals.requests.tolist() == whole.requests.tolist() == some.requests.tolist()
    assert totals.max_ns[LATENCY] == whole.latency_ns.max()
    for rounds in (np.array([True, False, True]), np.array([True] * 3)):
        values = np.sort(whole.latency_ns[rounds[whole.rounds]])
        assert totals.mean_ns(LATENCY, rounds) == values.mean()
        assert totals.latency_p50_ns(rounds) == pytest.approx(quantile(values, 0.5), rel=ERROR)
    assert totals.count("connect") == len(whole.valid)
    assert totals.count("tls") == 0


def test_a_share_without_histograms_has_no_totals(tmp_path: Path) -> None:
    samples = full_run(tmp_path / "run", rounds=2).settle().thinned(20, seed=1)
    assert policy_totals(samples.blocks, samples.histograms, 2) is None
