"""Each warning appears above its limit and not at it, from a summary that is made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadgen.measure.warnings.protocols import protocol_warnings
from loadgen.measure.warnings.reuse import gap_warnings, reuse_warnings
from loadgen.measure.warnings.run import warnings
from loadgen.measure.warnings.trailers import trailer_warnings
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import H2C_UPGRADE, HTTP1, WEBSOCKET, parse_policies
from loadgen.model.target import parse_target
from loadgen.model.warning_codes import WarningCode
from tests.support.summaries import MS, policy_summary
from tests.support.summary_schema import summary_schema

LOAD = Load(users=2, rounds=5, block_ns=1_000 * MS, warmup_ns=200 * MS)


def plan_of(policies: str = "persistent", url: str = "http://h/", load: Load = LOAD, **more: Any) -> Plan:
    return Plan(parse_target(url), parse_policies(policies), load, **more)


def codes(one: Any, policies: str = "persistent", rounds: int = 5, **plan: Any) -> list[WarningCode]:
    """Codes of a run in which this is the part of each policy."""
    made = plan_of(policies, **plan)
    found = warnings(dict.fromkeys((cell.name for cell in made.cells), one), made, rounds)
    return [WarningCode(warning["code"]) for warning in found]


def test_the_policy_made_by_hand_has_all_keys_and_no_warning() -> None:
    # `target` is there where several took turns.
    assert {*policy_summary(), "target"} == set(summary_schema()["$defs"]["PolicySummary"]["properties"])
    assert codes(policy_summary()) == []


@pytest.mark.parametrize(("rounds", "expected"), [(4, [WarningCode.TOO_FEW_ROUNDS]), (5, [])])
def test_few_rounds(rounds: int, expected: list[WarningCode]) -> None:
    assert codes(policy_summary(), rounds=rounds) == expected


def test_one_round_is_no_plural() -> None:
    (only,) = warnings({"persistent": policy_summary()}, plan_of(), 1)
    assert only["message"].startswith("1 round cannot")


@pytest.mark.parametrize(("url", "expected"), [("https://h/", [WarningCode.TLS_NOT_VERIFIED]), ("http://h/", [])])
def test_insecure_matters_with_tls(url: str, expected: list[WarningCode]) -> None:
    assert codes(policy_summary(), url=url, insecure=True) == expected


@pytest.mark.parametrize(("fewer", "warned"), [(50, False), (49, True)])
def test_unlike_sample_counts(fewer: int, warned: bool) -> None:
    found = warnings(
        {"persistent": policy_summary(), "close": policy_summary(requests=fewer)}, plan_of("persistent,close"), 5
    )
    unlike = [one["message"] for one in found if one["code"] == WarningCode.UNLIKE_SAMPLE_COUNTS]
    assert (
        unlike
        == ["persistent has 1,000 requests, close only 49: the high percentiles of close are less certain"] * warned
    )


@pytest.mark.parametrize(("lag_ns", "expected"), [(MS // 4, []), (MS // 4 + 1, [WarningCode.GENERATOR_SATURATED])])
def test_lag_beside_the_median(lag_ns: int, expected: list[WarningCode]) -> None:
    assert codes(policy_summary(generator={"lag_p50_ns": lag_ns, "cpu_share": 0.6})) == expected


def test_a_saturated_generator_is_said_once_though_it_lags() -> None:
    saturated = policy_summary(generator={"saturated": True, "cpu_share": 0.97, "lag_p50_ns": MS})
    assert codes(saturated) == [WarningCode.GENERATOR_SATURATED]


@pytest.mark.parametrize(
    ("statuses", "expected"), [({"200": 9, "399": 1}, []), ({"200": 9, "400": 1}, [WarningCode.HTTP_ERRORS])]
)
def test_error_responses(statuses: dict[str, int], expected: list[WarningCode]) -> None:
    assert codes(policy_summary(statuses=statuses)) == expected


def test_errors_are_counted_and_named() -> None:
    one = policy_summary(errors={"truncated": 3, "connect_refused": 1}, connections={"retried": 2})
    (only,) = warnings({"persistent": one}, plan_of(), 5)
    assert only["message"] == (
        "persistent: 4 of 1,000 requests failed: 3 truncated, 1 connect_refused; 2 were sent once more, warm-up "
        "included"
    )


def test_of_many_cells_with_the_same_warning_three_are_named() -> None:
    policies = "persistent,close,recycle:5,recycle:6,recycle:7"
    found = [
        one["message"]
        for one in warnings(
            dict.fromkeys(policies.split(","), policy_summary(connections={"warmup_errors": 1})), plan_of(policies), 5
        )
        if one["code"] == WarningCode.WARMUP_ERRORS
    ]
    assert [message.split(":")[0] for message in found[:2]] == ["persistent", "close"]
    assert found[3] == "the same holds for 2 more"
    assert len(found) == 4


# Reuse


def reuse_codes(one: Any, policy: str, **plan: Any) -> list[WarningCode]:
    made = plan_of(policy, **plan)
    (cell,) = made.cells
    return [code for code, _ in (*gap_warnings(one, cell, made), *reuse_warnings(one, cell, made))]


@pytest.mark.parametrize(("gap", "warned"), [("4999ms", False), ("5s", True)])
def test_a_gap_and_the_announced_timeout(gap: str, warned: bool) -> None:
    announced = {"server_announced": {"keep_alive_timeout_s": 5, "keep_alive_max": None}}
    long = replace(LOAD, block_ns=60_000 * MS)
    found = reuse_codes(policy_summary(connections=announced), f"gap:{gap}", load=long)
    assert (WarningCode.GAP_OVER_TIMEOUT in found) == warned


def test_a_policy_that_never_reuses_has_no_gap() -> None:
    announced = {"server_announced": {"keep_alive_timeout_s": 0, "keep_alive_max": None}}
    assert reuse_codes(policy_summary(connections=announced), "close", load=replace(LOAD, think_ns=MS)) == []


@pytest.mark.parametrize(("carried", "warned"), [(9.0, False), (8.9, True)])
def test_connections_that_carried_less_than_k(carried: float, warned: bool) -> None:
    short = {
        "opened": 100, "ideal": 10, "requests_per_connection": carried, "closed_by": {"client": 0, "server": 100},
        "endings": {"server_idle_fin": 100},
    }  # fmt: skip
    found = reuse_codes(policy_summary(connections=short), "recycle:10")
    assert found == [WarningCode.CLOSED_EARLY] * warned


@pytest.mark.parametrize(
    ("resumed", "policy", "warned"), [(1, "close", True), (0, "close", False), (1, "close-resume", False)]
)
def test_resumption_that_was_not_asked_for(resumed: int, policy: str, warned: bool) -> None:
    found = reuse_codes(policy_summary(connections={"tls_resumed": resumed}), policy, url="https://h/")
    assert (WarningCode.TLS_RESUMED_UNASKED in found) == warned


@pytest.mark.parametrize("made", ["tls_full", "proxy_full_handshakes"])
@pytest.mark.parametrize(("full", "warned"), [(2, False), (3, True)])
def test_sessions_that_were_not_resumed(full: int, warned: bool, made: str) -> None:
    found = reuse_codes(policy_summary(connections={made: full}), "close-resume", url="https://h/")
    assert (WarningCode.TLS_NOT_RESUMED in found) == warned


# Protocols and trailers


@pytest.mark.parametrize(("upgraded", "said"), [(0, "figures are those of"), (5, "figures are partly those of")])
def test_a_declined_upgrade(upgraded: int, said: str) -> None:
    one = policy_summary(connections={"opened": 10, "upgraded": upgraded, "upgrade_declined": 10 - upgraded})
    ((code, message),) = protocol_warnings(one, H2C_UPGRADE)
    assert code is WarningCode.UPGRADE_DECLINED
    assert said in message


@pytest.mark.parametrize(("protocol", "number"), [(WEBSOCKET, 1), (HTTP1, 0)])
def test_an_unanswered_close_frame_is_the_websockets(protocol: str, number: int) -> None:
    one = policy_summary(connections={"server_ignored_close": 3})
    assert [code for code, _ in protocol_warnings(one, protocol)] == [WarningCode.SERVER_IGNORED_CLOSE] * number


def test_forbidden_trailers_are_named_up_to_five() -> None:
    names = ("age", "vary", "host", "te", "range", "cookie", "expires")
    fields = dict.fromkeys(names, 2) | {"x-checksum": 9}
    ((code, message),) = trailer_warnings({"asked": True, "responses": 9, "fields": fields})
    assert code is WarningCode.FORBIDDEN_TRAILERS
    assert "age (2), vary (2), host (2), te (2), range (2) and 2 more" in message
    assert "x-checksum" not in message


def test_who_honours_what_is_not_announced_is_told_and_no_gap_over_the_timeout_is_warned_of() -> None:
    rested = Load(users=2, rounds=5, block_ns=9_000 * MS, think_ns=2_000 * MS)

    def found(policy: str, timeout_s: int | None) -> list[WarningCode]:
        one = policy_summary()
        one["connections"]["server_announced"]["keep_alive_timeout_s"] = timeout_s
        (cell,) = plan_of(policy, load=rested).cells
        return [code for code, _ in gap_warnings(one, cell, plan_of(policy, load=rested))]

    assert found("honour", None) == [WarningCode.NOTHING_ANNOUNCED]
    assert found("honour", 1) == found("max-idle:1s", 1) == []
    assert found("persistent", 1) == found("max-idle:3s", 1) == [WarningCode.GAP_OVER_TIMEOUT]
