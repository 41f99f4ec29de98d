"""The statistics of a diff, computed from one run's rounds."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.diff.compared_statistics import LATENCY, PHASES, SHARES, happened, mean_ratio_estimates
from tests.support.simulated_diffs import MEANS_NS, run


def test_each_statistic_of_a_run() -> None:
    policy = run(np.random.default_rng(1)).policies["persistent"]
    mean = LATENCY["mean"].estimates(policy, stops_early=False)
    assert mean.plain.value == pytest.approx(MEANS_NS[0], rel=0.1)
    assert mean.logarithm is not None
    assert np.exp(mean.logarithm.value) == pytest.approx(mean.plain.value)
    assert mean.plain.freedom == 4
    assert PHASES["wait"].estimates(policy, stops_early=False) == mean, "the only phase that happened"
    assert SHARES["reuse_ratio"].estimates(policy, stops_early=False).plain.value == 1
    errors = SHARES["error_ratio"].estimates(policy, stops_early=False)
    assert (errors.plain.value, errors.plain.error, errors.logarithm) == (0, 0, None)
    assert (happened("wait", [policy]), happened("dns", [policy])) == (True, False)


def test_errors_are_a_share_of_what_was_finished() -> None:
    policy = run(np.random.default_rng(1)).policies["persistent"]
    policy.failed[0] = 100
    found = SHARES["error_ratio"].estimates(policy, stops_early=False).plain
    assert found.value == pytest.approx(100 / 600)
    assert found.error is not None
    assert found.error > 0


def test_a_run_that_ended_by_precision_has_wider_intervals() -> None:
    policy = run(np.random.default_rng(1)).policies["persistent"]
    fixed, early = (LATENCY["mean"].estimates(policy, stops_early=one).plain.error for one in (False, True))
    assert fixed is not None
    assert early == pytest.approx(fixed * (1 + 4 / 5) ** 0.5)


def test_a_ratio_takes_rounds_in_which_both_were_answered() -> None:
    policies = run(np.random.default_rng(1)).policies
    found = mean_ratio_estimates(policies["persistent"], policies["close"], stops_early=False)
    assert found is not None
    assert found.plain.value == pytest.approx(2, rel=0.1)
    policies["close"].measured.requests[:3] = 0
    policies["persistent"].measured.requests[3:] = 0
    assert mean_ratio_estimates(policies["persistent"], policies["close"], stops_early=False) is None
