"""A policy's balance: what its blocks counted, the warnings about it, its table and its chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.console import show_summary
from loadgen.measure.summary.policy_balance import balance_summary
from loadgen.measure.warnings.balance import (
    address_warnings,
    balance_warnings,
    change_warnings,
    shared_ends,
    unused_addresses,
)
from loadgen.model.addressing import Addressing
from loadgen.model.endpoint import parse_connect_rule
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.warning_codes import WarningCode
from loadgen.show.charts import CHARTS, draw
from loadgen.show.export.markdown import render
from loadgen.show.tables import balance, balance_note
from tests.support.summaries import policy_summary
from tests.support.synthetic import full_run

S = 1_000_000_000
PLAN = Plan(parse_target("http://h/"), parse_policies("persistent"))


def block(number: int, addresses: dict[str, Any], backends: dict[str, list[int]] | None = None, **more: Any) -> Any:
    """connections, requests and failed by address."""
    counted = {
        name: dict(zip(("connections", "requests", "failed"), values, strict=True))
        for name, values in addresses.items()
    }
    facts = {"begun_ns": number * 10 * S, "interval_ns": S, "addresses": counted, "backends": backends or {}}
    return {"round": number, "balance": facts | {"changes": []} | more}


STARVED = [
    block(
        0, {"a": ([2, 0], [300, 300], [0, 0]), "b": ([2, 0], [300, 300], [0, 0])}, {"x": [400, 400], "y": [200, 200]}
    ),
    block(1, {"a": ([2, 0], [300, 300], [0, 0]), "b": ([2, 0], [300, 300], [0, 0]), "c": ([0, 0], [0, 0], [0, 0])}),
]


def test_the_order_of_places_is_that_of_their_names_whoever_answered_first() -> None:
    first = ["10.0.0.10:80", "10.0.0.9:80", "10.0.0.1:80"]
    one = block(0, {name: ([1], [5], [0]) for name in first}, {"web-10": [9], "": [3], "web-9": [3]})
    found = balance_summary([one])
    assert found is not None
    assert [address["address"] for address in found["addresses"]] == first[::-1]
    assert [(backend["backend"], backend["requests"]) for backend in found["backends"]] == [
        ("", 3), ("web-9", 3), ("web-10", 9),
    ]  # fmt: skip


def test_totals_evenness_and_intervals() -> None:
    found = balance_summary(STARVED)
    assert found is not None
    assert found["addresses"] == [
        {"address": "a", "connections": 4, "requests": 1200, "failed": 0},
        {"address": "b", "connections": 4, "requests": 1200, "failed": 0},
        {"address": "c", "connections": 0, "requests": 0, "failed": 0},
    ]
    assert found["backends"] == [{"backend": "x", "requests": 800}, {"backend": "y", "requests": 400}]
    assert found["evenness"] == pytest.approx({"connections": 2 / 3, "requests": 2 / 3, "backends": 0.9})
    assert [(line["round"], line["at_ns"]) for line in found["intervals"]] == [(0, 0), (0, S), (1, 0), (1, S)]
    assert found["intervals"][0]["requests"] == [300, 300, 0]
    assert found["intervals"][0]["backends"] == [400, 200]


def test_a_policy_with_one_address_has_none() -> None:
    assert balance_summary([{"round": 0}]) is None  # type: ignore[typeddict-item] # what it looks at


def codes(policy: str, blocks: list[Any]) -> dict[WarningCode, str]:
    summary = policy_summary(balance=balance_summary(blocks))
    return dict(balance_warnings(parse_policies(policy)[0], summary))


def test_a_starved_replica_and_what_cures_it() -> None:
    message = codes("persistent", STARVED[1:])[WarningCode.UNEVEN_BALANCE]
    assert "3 addresses answered as unevenly as 2.0 equal ones (evenness 0.67): c 0 of 1,200 requests" in message
    assert message.endswith("lifetime:T and recycle:K give new ones their share")
    # These policies are the cure already.
    assert all(
        "recycle:K" not in codes(one, STARVED[1:])[WarningCode.UNEVEN_BALANCE] for one in ("close", "lifetime:1s")
    )


def test_what_is_even_or_may_be_chance_is_not_warned_of() -> None:
    assert codes("persistent", STARVED[:1]) == {}
    assert codes("persistent", [block(0, {"a": ([1], [90], [0]), "b": ([1], [1], [0])})]) == {}


def test_a_replica_that_goes_while_others_answer() -> None:
    gone = block(0, {"a": ([1, 1], [200, 210], [0, 0]), "b": ([1, 0], [200, 0], [0, 90])})
    message = codes("close", [gone])[WarningCode.ADDRESS_FAILING]
    assert message == "b failed 90 of 290 requests, from 1.0 s of round 1 on, while others answered"
    alone = block(0, {"b": ([1, 0], [200, 0], [0, 90])})
    assert codes("close", [alone]) == {}


def test_addresses_that_change_in_mid_run() -> None:
    changes = [{"at_ns": 12 * S, "added": ["c"], "removed": ["a", "b"]}]
    blocks = [block(0, {}), block(1, {}, changes=changes)]
    assert list(change_warnings(blocks)) == [
        (WarningCode.ADDRESSES_CHANGED, "the name's addresses changed 12.0 s into the load: c came; a, b went")
    ]
    of_origin = {"at_ns": 12 * S, "added": ["c"], "removed": [], "origin": "http://a"}
    later = of_origin | {"at_ns": 14 * S}  # as another worker saw it
    gone = of_origin | {"at_ns": 15 * S, "added": [], "removed": ["c"]}
    again = of_origin | {"at_ns": 16 * S}
    several: Any = [
        {"load_begun_ns": 2 * S},
        {"load_begun_ns": 9 * S, "address_changes": [of_origin]},
        {"load_begun_ns": 13 * S, "address_changes": [later, gone, again]},
        {},
    ]
    assert [message.partition(" changed ")[2] for _, message in change_warnings(several)] == [
        "10.0 s into the load: c came", "13.0 s into the load: c went", "14.0 s into the load: c came",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("addresses", "spread", "is_told"),
    [
        (["192.0.2.1", "192.0.2.2"], "first", True),
        (["192.0.2.1", "192.0.2.2"], "all", False),
        (["192.0.2.1"], "first", False),
        (["::1", "127.0.0.1"], "first", False),  # one server of two families
    ],
)
def test_addresses_that_no_connection_went_to(addresses: list[str], spread: str, is_told: bool) -> None:
    plan = Plan(PLAN.target, PLAN.policies, addressing=Addressing(addresses=spread))
    target: Any = {"address": addresses[0], "port": 80, "addresses": addresses}
    found = dict(unused_addresses(plan, target))
    assert list(found) == [WarningCode.ONE_OF_SEVERAL_ADDRESSES] * is_told
    if is_told:
        assert "--addresses all uses 192.0.2.2 too" in found[WarningCode.ONE_OF_SEVERAL_ADDRESSES]
    assert list(unused_addresses(plan, None)) == []


def test_each_name_that_has_several_addresses_is_told_of() -> None:
    one: Any = {"address": "192.0.2.1", "port": 80, "addresses": ["192.0.2.1", "192.0.2.2"]}
    single: Any = {"address": "192.0.2.9", "port": 80, "addresses": ["192.0.2.9"]}

    def told(**environment: Any) -> list[str]:
        found: Any = environment
        return [warning["message"].partition(" has ")[0] for warning in address_warnings([], PLAN, found)]

    assert told(target=one) == ["the name"]
    assert told(target=single, origins={"http://b": one}) == ["http://b: the name"]
    assert told(target=one, origins={"http://b": one}) == ["http://h: the name", "http://b: the name"]
    assert told(target=single, targets={"A": single, "B": one}) == ["B: the name"]
    proxied = one | {"proxy": "p:3128"}  # its name is looked up for all of them
    assert told(target=proxied, origins={"http://b": proxied, "http://c": single}) == ["the name"]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (["end:8080"], "--connect-to end:8080 sent connections for 2 hosts to end:8080"),
        (["unix:/run/s"], "2 hosts to unix:/run/s, each under its own name: a.test:80, b.test:80;"),
        (["a.test:80:end:8080"], ""),
        (["a.test:80:end:8080", "end:8080"], ""),  # the first that fits counts: each rule is for one of them
        ([":80::8080"], ""),  # other ports of the same hosts
        ([], ""),
    ],
)
def test_a_rule_for_any_host_that_several_targets_have(rules: list[str], told: str) -> None:
    targets = tuple(NamedTarget(name, parse_target(f"http://{name}.test/{name}")) for name in "ab")
    targets += (NamedTarget("c", parse_target("http://a.test/other")),)  # the same end under another path
    rule = Addressing(connect_to=tuple(map(parse_connect_rule, rules)))
    found = list(shared_ends(Plan(targets[0].target, PLAN.policies, targets=targets, addressing=rule)))
    assert [code for code, _ in found] == [WarningCode.CONNECT_TO_SHARED] * bool(told)
    assert not told or told in found[0][1]


def summary_of(blocks: list[Any]) -> Any:
    one = policy_summary(balance=balance_summary(blocks))
    return {"policies": {"persistent": one}, "comparisons": [], "plan": PLAN.to_json(secrets=False), "sweep": None}


def test_the_table_has_a_row_for_each_address_and_backend() -> None:
    summary = summary_of(STARVED)
    rows = balance(summary).rows
    assert rows[0] == ("persistent", "a", "4", "1,200", "50.0%", "0", "0.67")
    assert rows[3][1:5] == ("backend x", "–", "800", "66.7%")
    assert "Jain" in balance_note(summary)
    assert balance(summary_of([])).rows == []


def test_terminal_and_markdown_have_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = full_run(tmp_path / "run", rounds=1).summary()
    policies = {name: {**one, "balance": balance_summary(STARVED)} for name, one in summary["policies"].items()}
    found: Any = {**summary, "policies": policies}
    show_summary(found)
    page = render(found)
    for text in (capsys.readouterr().out, page):
        assert [line for line in text.splitlines() if "1,200" in line and "0.67" in line and "persistent" in line]
        assert "backend x" in text
    assert "backend" not in render(summary)


def test_the_chart_is_drawn_where_there_are_several() -> None:
    summary = summary_of(STARVED) | {"run": "name", "environment": {"loadgen": "0", "started": "2026-11-29"}}
    assert CHARTS["balance"].applies(summary)
    assert b"persistent" in draw("balance", summary)["svg"]
    assert not CHARTS["balance"].applies(summary_of([]))
