"""Gates over a summary: what they find, what they refuse, and what they make of values and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest

from loadgen.measure.summary.run_gates import judge_gates, pair_fields, policy_fields, resolve_gates, run_fields
from loadgen.model.exceptions import PlanError
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Plan
from loadgen.model.target import parse_target
from tests.support.summaries import MS, policy_summary
from tests.support.synthetic import plan_json, sweep_plan

POLICIES = "persistent,close,gap:1s,gap:1.5s,recycle:3+pool:2,close#2"
RATIO: Mapping[str, Any] = MappingProxyType(
    {
        "latency_p50_ratio": 3.4,
        "latency_p50_ratio_ci95": [2.8, 4.1],
        "latency_mean_ratio": 3.0,
        "latency_mean_ratio_ci95": None,
        "latency_p50_delta_ns": 2 * MS,
        "latency_p50_delta_ci95": [MS, 3 * MS],
        "p_value": None,
        "is_certain": True,
        "phase_deltas_mean_ns": {"connect": MS},
    }
)


@cache
def plan(policies: str = POLICIES) -> Plan:
    return Plan.from_json(plan_json(policies, 5))


def run_of(policies: Mapping[str, Any], *comparisons: Any, warnings: tuple[str, ...] = ()) -> Any:
    found = [{"code": code, "message": ""} for code in warnings]
    return {"policies": policies, "comparisons": comparisons, "warnings": found, "precision": None}


def two(**close: Any) -> Any:
    """A run of persistent and close, with what is particular to close."""
    pair = {"candidate": "close", "baseline": "persistent", **RATIO}
    return run_of({"persistent": policy_summary(), "close": policy_summary(**close)}, pair)


def judged(expression: str, summary: Any, policies: str = "persistent,close") -> Any:
    (found,) = judge_gates(resolve_gates(plan(policies), (expression,)), summary)
    return found


@pytest.mark.parametrize(
    ("expression", "passed", "value"),
    [
        ("close.latency_ms.p99 > 50", False, 60 * MS),
        ("close.latency_ns.p99 > 50_000_000", None, None),  # that is no number
        ("close.latency_us.p99 > 60000", True, 60 * MS),
        ("latency.p99 >= 60ms", False, 60 * MS),
        ("persistent.latency.p99 > 50ms", True, 2 * MS),
        ("persistent.reuse_ratio < 0.99", True, 1.0),
        ("reuse_ratio < 99%", False, 0.0),
        ("errors > 0.1%", False, 0.02),
        ("errors > 2%", True, 0.02),
        ("errors > 5", False, 20),
        ("errors.dns_failed > 0", True, 0),
        ("stale_connections > 0", False, 12),
        ("tls_full > 10", False, 100),
        ("statuses.503 > 0", False, 30),
        ("statuses.5xx >= 4%", False, 40 / 980),
        ("close/persistent.latency.p50.ratio.ci95.low > 3", True, 2.8),
        ("latency.p50.ratio > 3", False, 3.4),
        ("mean.ratio > 3", True, 3.0),
        ("latency_p50_delta_ci95.high > 2.5ms", False, 3 * MS),
        ("requests_per_connection < 2", True, 500.0),
        ("throughput_rps < 100", True, 200.0),
        ("phases_ms.wait.p99 > 1", False, 2 * MS),
        ("closed_by.server > 0", True, 0),
        ("seconds < 4s", True, 5.0),
        ("saturated == true", True, False),
        ("is_certain == true", False, True),
        ("protocol != http/1.1", True, "http/1.1"),
        ("warnings > 0", True, 0),
    ],
)
def test_fields_and_units(expression: str, passed: bool | None, value: Any) -> None:
    summary = two(
        latency_ns={"p99": 60 * MS},
        requests=980,
        errors={"stale_connection": 12, "response_timeout": 8},
        statuses={"200": 940, "503": 30, "500": 10},
        connections={"reuse_ratio": 0.0, "tls_full": 100},
    )
    if passed is None:
        with pytest.raises(PlanError, match="is no limit"):
            judged(expression, summary)
        return
    gate = judged(expression, summary)
    assert (gate["passed"], gate["value"]) == (passed, pytest.approx(value) if isinstance(value, float) else value)


def test_the_interval_says_whether_it_could_be_noise() -> None:
    summary = two(latency_ns={"p99": 60 * MS, "p99_ci95": [45 * MS, 75 * MS]})
    near, far = judged("latency_ms.p99 > 50", summary), judged("latency_ms.p99 > 40", summary)
    assert (near["passed"], near["could_be_noise"], near["low"], near["high"]) == (False, True, 45 * MS, 75 * MS)
    assert near["message"] == "close: 60.0 ms [45.0, 75.0]; the interval crosses the limit: could be noise"
    assert (far["passed"], far["could_be_noise"]) == (False, False)
    assert far["message"] == "close: 60.0 ms [45.0, 75.0]"
    assert judged("persistent.latency_ms.p99 > 1", summary)["could_be_noise"] is None
    assert judged("throughput_rps < 195", summary)["could_be_noise"] is True


def test_of_several_the_farthest_beyond_the_limit_decides() -> None:
    policies = {
        "persistent": policy_summary(throughput_rps=90.0),
        "close": policy_summary(throughput_rps=80.0),
        "gap:1s": policy_summary(throughput_rps=70.0, throughput_rps_ci95=None),
    }
    summary = run_of(policies)
    gate = judged("throughput_rps < 100", summary, "persistent,close,gap:1s")
    assert (gate["subject"], gate["others_failed"], gate["message"]) == ("gap:1s", 2, "gap:1s: 70; 2 more fail too")
    one = judged("throughput_rps < 75", summary, "persistent,close,gap:1s")
    assert (one["passed"], one["subject"], one["others_failed"]) == (False, "gap:1s", 0)
    assert judged("throughput_rps > 100", summary, "persistent,close,gap:1s")["subject"] == "persistent"


def test_what_can_not_be_judged_fails() -> None:
    silent = two(requests=0, latency_ns={"p99": None})
    for expression, subject in (("latency_ms.p99 > 50", "close"), ("close.latency_ms.p99 > 50", "close")):
        gate = judged(expression, silent)
        assert (gate["passed"], gate["subject"], gate["value"]) == (False, subject, None)
        assert gate["message"] == "close: there is no value that could be judged"
    assert not judged("close.phases_ms.connect.p99 > 50", two())["passed"]
    assert not judged("rate_rps < 5", two())["passed"]  # no policy has arrivals
    assert not judged("mean.ratio > 5", run_of({"persistent": policy_summary(), "close": policy_summary()}))["passed"]


def test_what_did_not_happen_under_a_policy_keeps_every_limit() -> None:
    connects = {**policy_summary()["phases_ns"], "connect": {"count": 9, "p99": MS}}
    gate = judged("phases_ms.connect.p99 > 5", two(phases_ns=connects))
    assert (gate["passed"], gate["subject"], gate["value"]) == (True, "close", MS)


@pytest.mark.parametrize(
    ("expression", "subject"),
    [
        ("gap:1s.tls_full > 0", "gap:1s"),
        ("gap:1.5s.tls_full > 0", "gap:1.5s"),
        ("recycle:3 + pool:2.tls_full > 0", "recycle:3+pool:2"),
        ("close#2.tls_full > 0", "close#2"),
        ("close#2/persistent.mean.ratio > 0", "close#2/persistent"),
        ("gap:1.5s / persistent.mean.ratio > 0", "gap:1.5s/persistent"),
        ("tls_full > 0", ""),
    ],
)
def test_names_of_policies(expression: str, subject: str) -> None:
    (gate,) = resolve_gates(plan(), (expression,))
    assert gate.subjects == ((subject,) if subject else tuple(POLICIES.split(",")))
    assert gate.names_one is bool(subject)


def test_names_of_cells() -> None:
    swept = Plan.from_json(sweep_plan(users=[2, 10], recycle=["1", "2"]))
    for cell in swept.cells:
        (gate,) = resolve_gates(swept, (f"{cell.name}.latency_ms.p99 > 5",))
        assert (gate.subjects, gate.names_one) == ((cell.name,), True)


def test_in_a_sweep_a_policy_stands_for_its_cells() -> None:
    swept = Plan.from_json(sweep_plan(users=[2, 10], recycle=["1", "2"]))
    (gate,) = resolve_gates(swept, ("recycle:1.throughput_rps < 100",))
    assert gate.subjects == ("recycle:1 · 2 users", "recycle:1 · 10 users")
    policies = {
        cell.name: policy_summary(throughput_rps=50.0 + cell.users, throughput_rps_ci95=None) for cell in swept.cells
    }
    (found,) = judge_gates((gate,), run_of(policies))
    assert found["message"] == "recycle:1 · 2 users: 52; 1 more fails too"
    with pytest.raises(PlanError, match="'recycle:3' is none of the policies; did you mean 'recycle:"):
        resolve_gates(swept, ("recycle:3.throughput_rps < 100",))


def test_a_field_that_begins_with_the_name_of_a_target_is_found() -> None:
    a, b = (parse_target(f"http://127.0.0.1:{port}/") for port in (1, 2))
    named = replace(
        plan("persistent,close"), target=a, targets=(NamedTarget("throughput", a), NamedTarget("connections", b))
    )
    (gate,) = resolve_gates(named, ("throughput.rps < 1",))
    assert (gate.field.text, len(gate.subjects)) == ("throughput_rps", 4)
    (gate,) = resolve_gates(named, ("connections.connections.opened > 3",))
    assert gate.subjects == ("persistent · connections", "close · connections")
    with pytest.raises(PlanError, match=r"'connections.opened' may be .* of 'connections' alone, or .* of all; write"):
        resolve_gates(named, ("connections.opened > 3",))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("clsoe.tls_full > 3", "'clsoe' is none of the policies; did you mean 'close'"),
        ("persistent/close.mean.ratio > 3", "'persistent/close' is none of the pairs; did you mean 'close/persistent'"),
        ("close.mean.ratio > 3", "latency_mean_ratio is of pairs; write close/persistent.mean.ratio"),
        ("quux.tls_full > 3", "'quux' is none of the policies; choose from persistent, close"),
        ("latencey_ms.p99 > 3", "did you mean 'latency_ns.p99'"),
        ("close.reuse < 1", "did you mean 'connections.reuse_ratio'"),
        ("zzzz > 1", "the field 'zzzz' is unknown; docs/gates.md says which there are"),
        ("ms > 1", "unknown"),
        ("p99 > 3ms", "may be any of .*latency_ns.p99.*write more of the path"),
        ("latency.p99 > 50", "is a time; give the limit a unit, like 50ms"),
        ("latency.p99 > 5%", "a percentage means nothing"),
        ("tls_full > 5%", "not a share"),
        ("throughput_rps > 5%", "not a share"),
        ("tls_full > 5ms", "is not a time"),
        ("reuse_ratio_ms > 5", "is not a time"),
        ("tls_full > many", "is a number; 'many' is none"),
        ("protocol > h2", "only == and != compare it with h2"),
        ("saturated == 3", "is true or false, not '3'"),
    ],
)
def test_what_is_refused(expression: str, message: str) -> None:
    with pytest.raises(PlanError, match=message) as refused:
        resolve_gates(plan("persistent,close"), (expression,))
    assert len(str(refused.value).splitlines()) == 1


def test_a_single_policy_has_no_pairs() -> None:
    with pytest.raises(PlanError, match="latency_mean_ratio is of pairs, and there are none"):
        resolve_gates(plan("close"), ("mean.ratio > 3",))


def test_each_field_can_be_asked_for_by_its_path() -> None:
    """Whatever the types have: no field of the policies hides another one of them."""
    for fields in (policy_fields(), pair_fields(), run_fields()):
        assert len({field.words for field in fields}) == len(fields) > 10
    paths = {field.text for field in policy_fields()}
    assert {"errors.crossed_by_close", "statuses.418", "connections.endings.server_stale", "lenient.bare_lf"} <= paths
    assert "connections.idle_statuses.408" in paths


def test_warnings_by_their_codes() -> None:
    found = run_of({"persistent": policy_summary()}, warnings=("errors", "generator_saturated"))
    gate = judged("warnings > 1", found)
    assert (gate["passed"], gate["value"], gate["subject"]) == (False, 2, "")
    assert judged("warnings.generator_saturated > 0", found)["value"] == 1
    assert judged("warnings.samples_thinned > 0", found)["passed"]


def test_the_plan_s_gates() -> None:
    with_gates = Plan.from_json(plan_json("persistent,close", 5) | {"fail_if": ["tls_full > 0"], "max_errors": 0.01})
    assert [one.gate.text for one in resolve_gates(with_gates)] == ["errors > 1%", "tls_full > 0"]
    assert [one.gate.text for one in resolve_gates(with_gates, ("errors > 3",))] == ["errors > 3"]
    assert resolve_gates(plan("close")) == ()
    assert Plan.from_json(with_gates.to_json(secrets=False)) == with_gates
