"""User classes and their policies: what goes together, and what is refused in one line."""

from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.policy import parse_policies
from loadgen.swarm.user_classes import UserKind, kind_of, policies_of
from tests.support.fake_swarm import user_class

DEFAULT = "persistent,close"
SCENARIO = UserKind.SCENARIO


def test_a_class_has_the_policies_of_the_command_line_unless_it_names_its_own() -> None:
    assert policies_of([user_class("One"), user_class("Two", "abandon,recycle:5")], DEFAULT) == {
        "One": ("persistent", "close"),
        "Two": ("abandon", "recycle:5"),
    }


def test_equal_policies_are_numbered_and_the_plan_takes_the_numbers() -> None:
    names = policies_of([user_class("One", "close,close")], DEFAULT)["One"]
    assert names == ("close", "close#2")
    assert tuple(policy.name for policy in parse_policies(",".join(names))) == names


@pytest.mark.parametrize("policy", ["recycle:3", "pool:10", "pipeline:3", "h2", "h2+coalesce"])
def test_a_scenario_has_one_policy(policy: str) -> None:
    assert policies_of([user_class("One", policy, SCENARIO)], DEFAULT) == {"One": (policy,)}


def test_classes_of_others_take_no_part() -> None:
    foreign = user_class("Foreign", kind=None)
    assert kind_of(foreign) is None
    assert kind_of(int) is None
    assert policies_of([foreign], DEFAULT) == {}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([user_class("One", "clsoe")], "the policy 'clsoe' is unknown"),
        ([user_class("One", "websocket", SCENARIO)], "is not for scenarios"),
        (
            [user_class("One"), user_class("Two", "close")],
            "users who alternate between policies can't run beside others who don't: "
            "One has persistent and close, Two has close",
        ),
        (
            [user_class("One", "close,persistent"), user_class("Two", "persistent,close")],
            "user classes have the same policies in another order: "
            "One has close and persistent, Two has persistent and close; give them in one order",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(classes: list[type], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        policies_of(classes, DEFAULT)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
