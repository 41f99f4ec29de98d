"""Users that made load in each block, beside those that there were to be."""

from __future__ import annotations

from loadgen.model.warning_codes import WarningCode
from loadgen.swarm.load_users import LoadUsers


def messages_of(users: LoadUsers) -> dict[WarningCode, str]:
    return dict(users.notes())


def test_a_load_that_stays_calls_for_no_warning() -> None:
    users = LoadUsers()
    for number in range(3):
        users.take(number, 4, {"A": 1, "B": 3})
    assert users.notes() == []


def test_too_few_users_are_named_with_the_fewest() -> None:
    users = LoadUsers()
    users.take(0, 4, {"A": 4})
    users.take(1, 4, {"A": 3})
    users.take(2, 8, {"A": 6})
    users.take(3, 8, {"A": 8})
    assert messages_of(users)[WarningCode.USERS_MISSING].startswith(
        "fewer users made load than Locust was to start: 6 of 8 at the least, first in round 2; "
    )
    assert messages_of(users)[WarningCode.USERS_CHANGED].startswith("there were from 3 to 8 users, last changed in rou")


def test_a_block_without_users_is_no_other_load() -> None:
    """It has no figures that could mix with those of others."""
    users = LoadUsers()
    users.take(0, 4, {"A": 0})
    users.take(0, 4, {"A": 4})
    assert list(messages_of(users)) == [WarningCode.USERS_MISSING]
    assert "0 of 4 at the least, first in round 1;" in messages_of(users)[WarningCode.USERS_MISSING]


def test_users_of_a_class_that_take_the_place_of_another_s_are_a_change() -> None:
    users = LoadUsers()
    users.take(0, 4, {"A": 2, "B": 2})
    users.take(1, 4, {"A": 1, "B": 3})
    users.take(2, 4, {"A": 1, "B": 3})
    assert list(messages_of(users).values()) == [
        "there were from 1 to 2 users of A and from 2 to 3 users of B, last changed in round 2; figures of one policy "
        "mix them"
    ]
