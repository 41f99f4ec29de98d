"""One policy's samples by round, and nearest-rank quantiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.jackknife import Jackknife
from loadgen.measure.stats.policy_samples import policy_samples, quantile, quantiles
from loadgen.model.errors import ErrorKind
from tests.support.synthetic import MS, WINDOW_NS, Exchange, Link, RunWriter, full_run, plan_json

SECONDS = WINDOW_NS / 1e9


def test_complete_samples_are_arranged_by_round(tmp_path: Path) -> None:
    samples: Samples = full_run(tmp_path / "run", rounds=3).settle()
    for index, mine in enumerate(samples.by_policy()):
        one = policy_samples(samples, index, mine, rounds=3)
        assert one.name == samples.policies[index]
        assert len(one.valid) == len(one.latency_ns) == len(mine) == 300
        assert one.requests.tolist() == one.answered.tolist() == [100, 100, 100]
        assert one.seconds.tolist() == pytest.approx([SECONDS] * 3)
        assert [len(values) for values in one.by_round.ordered] == [100, 100, 100]
        for number, values in enumerate(one.by_round.ordered):
            assert values.tolist() == sorted(one.latency_ns[one.rounds == number].tolist())


def test_failed_requests_have_no_latency(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 1))
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(MS, outcome=-ErrorKind.TRUNCATED)])])
    samples = writer.settle()
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=1)
    assert len(one.valid) == 1
    assert one.requests.tolist() == [1]


def test_a_round_without_a_window_has_no_seconds(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 2))
    writer.block("persistent", 0, [Link([Exchange(0)])])
    samples = writer.settle()
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=2)
    assert one.seconds.tolist() == pytest.approx([SECONDS, 0])
    assert one.requests.tolist() == [1, 0]


def test_in_an_open_loop_the_responses_in_the_window_count(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 1, rate_rps=100.0))
    late = Exchange(WINDOW_NS // MS * MS - MS, wait=5 * MS)
    writer.block("persistent", 0, [Link([Exchange(0), late])], due=2)
    samples = writer.settle()
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=1)
    assert (one.requests.tolist(), one.answered.tolist()) == ([2], [1])


def test_what_thinning_took_out_is_counted(tmp_path: Path) -> None:
    samples = full_run(tmp_path / "run", "persistent", rounds=2).settle().thinned(20, seed=1)
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=2)
    assert one.left_out == 200 - len(one.valid) == 180
    assert one.requests.tolist() == [100, 100]


def test_statistics_of_all_rounds_and_without_each(tmp_path: Path) -> None:
    samples: Samples = full_run(tmp_path / "run", "persistent", rounds=3).settle()
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=3)
    rounds = Jackknife.over(np.array([True, False, True]))
    first, last = (one.latency_ns[one.rounds == number] for number in (0, 2))
    both = np.concatenate([first, last])
    assert one.means_ns(rounds.weights()) == pytest.approx([both.mean(), last.mean(), first.mean()])
    assert one.rates_rps(rounds.weights()) == pytest.approx([100 / SECONDS] * 3)
    assert one.quantiles_ns(rounds).value(0.5) == quantile(np.sort(both), 0.5)


def test_where_no_round_is_left_there_is_no_statistic(tmp_path: Path) -> None:
    samples: Samples = full_run(tmp_path / "run", "persistent", rounds=1).settle()
    one = policy_samples(samples, 0, samples.by_policy()[0], rounds=1)
    rounds = Jackknife.over(np.array([True]))
    assert np.isnan([one.means_ns(rounds.weights())[1], one.rates_rps(rounds.weights())[1]]).all()
    assert np.isnan(one.quantiles_ns(rounds).left_out(0.5)[1])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.99, 10), (1.0, 10)])
def test_a_quantile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    values = np.arange(1, 11)
    assert quantile(values, share) == expected
    assert quantiles(values[::-1], share) == [expected]


def test_several_quantiles_at_once() -> None:
    values = np.random.default_rng(3).integers(0, 1_000, 999)
    assert quantiles(values, 0.5, 0.9, 0.999) == [quantile(np.sort(values), share) for share in (0.5, 0.9, 0.999)]
