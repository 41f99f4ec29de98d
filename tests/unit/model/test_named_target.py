"""Several targets as values: their names, their cells, and the plan as each of them has it."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.named_target import MAX_TARGETS, NamedTarget, check_targets, lettered, split_name
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target

A, B = parse_target("http://127.0.0.1:1/a"), parse_target("https://h/b")


def plan(**values: Any) -> Plan:
    targets = (NamedTarget("old", A), NamedTarget("new", B))
    return Plan(A, parse_policies("persistent,close"), **{"targets": targets, **values})


def test_each_policy_has_a_cell_on_each_target() -> None:
    cells = plan().cells
    assert [cell.name for cell in cells] == ["persistent · old", "persistent · new", "close · old", "close · new"]
    assert [(cell.target, cell.path) for cell in cells[:2]] == [("old", "/a"), ("new", "/b")]


def test_the_plan_as_a_target_has_it() -> None:
    whole = plan()
    own = whole.by_target()
    assert {name: one.target for name, one in own.items()} == {"old": A, "new": B}
    assert all(one.cells == whole.cells for one in own.values())
    assert whole.of_cell(whole.cells[1]).target == B
    alone = Plan(A, parse_policies("persistent"))
    assert alone.by_target() == {None: alone}
    assert alone.of_cell(alone.cells[0]) is alone


def test_it_is_recorded_and_restored_without_secrets() -> None:
    secret = parse_target("http://h/?token=abc")
    found = plan(targets=(NamedTarget("A", A), NamedTarget("B", secret)))
    assert found.to_json(secrets=False)["targets"] == [["A", "http://127.0.0.1:1/a"], ["B", "http://h/?token=***"]]
    assert Plan.from_json(found.to_json(secrets=True)) == found


def test_a_policy_must_suit_each_target() -> None:
    """TLS sessions are of TLS alone, and the second target is in clear."""
    targets = (NamedTarget("A", B), NamedTarget("B", A))
    with pytest.raises(PlanError, match="resume"):
        Plan(B, parse_policies("close+resume"), targets=targets)


def test_urls_without_names_are_lettered() -> None:
    assert lettered(["http://a/", "http://b/"]) == ("A=http://a/", "B=http://b/")
    assert lettered(["u"] * MAX_TARGETS)[-1] == "Z=u"
    with pytest.raises(PlanError, match="27 targets are too many; 26 is the most"):
        lettered(["u"] * 27)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("http://127.0.0.1/", "it has no name; write it like new="),
        ("http://127.0.0.1/?a=b", "it has no name"),
        ("a b=http://h/", "the name 'a b' can't be used"),
        ("=http://h/", "the name '' can't be used"),
        ("é=http://h/", "can't be used"),
        (f"{'x' * 41}=http://h/", "up to 40 letters"),
    ],
)
def test_what_is_no_name(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        split_name(text)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("A",), "--target A=... is one of several targets that take turns"),
        (("A", "A"), "two targets are called 'A'"),
        (("A", "recycle:2", "close"), "can't be called 'recycle:2', which is a connection policy"),
        (("A", "diff"), "can't be called 'diff': gates that begin so"),
    ],
)
def test_targets_that_can_t_be_told_apart(names: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        check_targets([NamedTarget(name, A) for name in names])
