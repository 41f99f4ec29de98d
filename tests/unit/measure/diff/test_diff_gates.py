"""Gates over a diff."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.diff.diff_gates import judge_diff
from loadgen.measure.diff.run_diff import diff_runs
from loadgen.model.exceptions import PlanError
from loadgen.model.gate.expression import parse_gate
from tests.support.simulated_diffs import run


def judged(text: str, added_ns: int = 1_000_000, lacks: str = "") -> Any:
    random = np.random.default_rng(1)
    old, new = run(random), run(random, added_ns=added_ns)
    if lacks:
        del new.policies[lacks]
    (found,) = judge_diff([parse_gate(text)], diff_runs([old], new), new.plan)
    return found


def test_a_change_beyond_its_limit() -> None:
    found = judged("persistent.latency.mean.ratio.ci95.low > 1.5")
    assert (found["passed"], found["limit"], found["subject"]) == (False, 1.5, "persistent")
    found = judged("latency.mean.delta > 900us")
    assert (found["passed"], found["limit"]) == (False, 900_000)
    assert found["low"] < found["value"] < found["high"]
    assert judged("latency_ns.mean.ratio > 3")["passed"], "the path as the file has it"
    assert not judged("close/persistent.latency.mean.ratio.is_certain == true")["passed"]
    assert not judged("certain_changes > 0")["passed"]
    assert judged("machine.moved > 0.1")["passed"]


def test_a_phase_that_did_not_happen_keeps_every_limit() -> None:
    assert not judged("phases_ms.wait.delta > 0.5")["passed"]
    assert not judged("persistent.phases.tls.delta > 1ms")["passed"], "it was asked for by name"


def test_a_policy_that_was_not_compared_fails() -> None:
    found = judged("latency.mean.ratio > 9", lacks="close")
    assert (found["passed"], found["subject"], found["value"]) == (False, "close", None)


def test_what_a_diff_has_not_is_refused() -> None:
    with pytest.raises(PlanError, match="is not a time"):
        judged("latency_ms.mean.p_value > 1")
    with pytest.raises(PlanError, match="'clos' is none of the policies; did you mean 'close'"):
        judged("clos.throughput.ratio > 1")
