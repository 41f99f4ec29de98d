"""A/A runs: what is read of a summary, and how many false alarms are too many."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench import aa


def summary(ratio: float, is_certain: bool) -> dict[str, Any]:
    interval = [ratio - 0.01, ratio + 0.01]
    return {
        "comparisons": [
            {
                "baseline": "close",
                "candidate": "close#2",
                "latency_mean_ratio": ratio,
                "latency_mean_ratio_ci95": interval,
                "is_certain": is_certain,
            }
        ],
        "policies": {
            "close": {"generator": {"cpu_ns_per_request": 20_000}},
            "close#2": {"generator": {"cpu_ns_per_request": 21_000}},
        },
        "warnings": [{"code": "own_work", "message": ""}],
    }


@pytest.mark.parametrize(("certain", "code"), [(2, 0), (3, 1)])
def test_more_than_a_tenth_of_the_runs_is_too_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], certain: int, code: int
) -> None:
    found = iter([summary(1.05, True)] * certain + [summary(1.0, False)] * (20 - certain))
    monkeypatch.setattr(aa, "compare_once", lambda _folder, _policies, _options: next(found))
    assert aa.main(["--policies", "close,close", "--", "--users", "3"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "loadgen compare --policies close,close --users 3"
    assert lines[4] == "| 1 | 1.0500 [1.0400, 1.0600] | a difference | 1.050 | own_work |"
    assert lines[-1].startswith(f"{certain} of 20 runs found a difference; as many or more by chance: ")


def test_chance_is_that_of_the_binomial_distribution() -> None:
    assert aa.chance(0, 20) == pytest.approx(1)
    assert aa.chance(1, 1) == pytest.approx(0.05)
    assert aa.chance(2, 20) == pytest.approx(0.264, abs=0.001)


def test_a_run_of_one_round_has_no_interval() -> None:
    one = summary(1.0, False)
    one["comparisons"][0]["latency_mean_ratio_ci95"] = None
    with pytest.raises(ValueError, match="give at least 2 --rounds"):
        aa.outcome(one)
