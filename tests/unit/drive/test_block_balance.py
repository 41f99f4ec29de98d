"""A block's counts by address and backend: each exchange in its interval, each backend by its field."""

from __future__ import annotations

from loadgen.drive.block_balance import MAX_BACKENDS, OTHER_BACKENDS, BlockBalance, address_changes, address_text
from loadgen.model.addressing import Addressing
from loadgen.model.load import Load
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.wire.http1.head import ResponseHead, parse_response_head

S = 1_000_000_000
ONE, TWO = (2, ("192.0.2.1", 80)), (2, ("192.0.2.2", 80))


def head(name: str) -> ResponseHead:
    return parse_response_head(f"HTTP/1.1 200 OK\r\nX-Backend: {name}\r\nContent-Length: 0\r\n\r\n".encode())


def test_each_is_counted_in_its_interval() -> None:
    balance = BlockBalance("", S, 3, begun_ns=10 * S)
    balance.opened(ONE, 10 * S)
    balance.answered(ONE, head("a"), 10 * S + 1)
    balance.answered(ONE, head("a"), 12 * S)
    balance.answered(ONE, head("a"), 99 * S)  # after the block's time: the last one takes it
    balance.failed(TWO, 11 * S)
    assert balance.facts() == {
        "begun_ns": 10 * S,
        "interval_ns": S,
        "addresses": {
            "192.0.2.1:80": {"connections": [1, 0, 0], "requests": [1, 0, 2], "failed": [0, 0, 0]},
            "192.0.2.2:80": {"connections": [0, 0, 0], "requests": [0, 0, 0], "failed": [0, 1, 0]},
        },
        "backends": {},
        "changes": [],
    }


def test_a_connection_that_outlives_its_block_is_counted_once() -> None:
    first, second, third = (BlockBalance("", S, 1, begun_ns=number * S) for number in (10, 20, 30))
    first.still_open(ONE, 15 * S)
    second.follow(first)
    second.opened(ONE, 19 * S)  # it began to open in the block before, and was not open by its end
    second.still_open(ONE, 15 * S)
    third.follow(second)
    third.opened(ONE, 15 * S)  # now it has ended
    counted = [one.facts()["addresses"].get("192.0.2.1:80", {}).get("connections") for one in (first, second, third)]  # type: ignore[call-overload] # absent is none
    assert counted == [[1], [1], None]


def test_what_came_between_two_blocks_is_in_the_next_one_s_first_interval() -> None:
    balance = BlockBalance("", S, 2, begun_ns=10 * S)
    balance.answered(ONE, head("a"), 14 * S)
    balance.start(15 * S)
    balance.opened(ONE, 14 * S)
    balance.opened(ONE, 16 * S)
    assert balance.facts()["addresses"]["192.0.2.1:80"]["connections"] == [1, 1]


def test_an_address_that_gets_nothing_is_there_too() -> None:
    found = BlockBalance("", S, 1, 0).facts([ONE])["addresses"]
    assert found == {"192.0.2.1:80": {"connections": [0], "requests": [0], "failed": [0]}}


def test_backends_are_told_apart_by_the_field_whatever_its_case() -> None:
    balance = BlockBalance("x-backend", S, 2, 0)
    for name, at_ns in (("a", 0), ("b", 0), ("a", S), ("", 0)):
        balance.answered(ONE, head(name), at_ns)
    assert balance.facts()["backends"] == {"a": [1, 1], "b": [1, 0], "": [1, 0]}


def test_a_field_that_differs_each_time_names_no_backend() -> None:
    balance = BlockBalance("X-Backend", S, 1, 0)
    for number in range(3 * MAX_BACKENDS):
        balance.answered(ONE, head(f"{number}"), 0)
    backends = balance.facts()["backends"]
    assert (len(backends), backends[OTHER_BACKENDS]) == (MAX_BACKENDS + 1, [2 * MAX_BACKENDS])


def test_the_intervals_of_a_run_are_few() -> None:
    def length(block_s: float, rounds: int) -> tuple[float, int]:
        load = Load(block_ns=int(block_s * S), warmup_ns=0, rounds=rounds)
        plan = Plan(parse_target("http://h/"), parse_policies("close"), load, addressing=Addressing(addresses="all"))
        facts = BlockBalance.of(plan, 0).facts([ONE])
        return facts["interval_ns"] / S, len(facts["addresses"]["192.0.2.1:80"]["requests"])

    assert length(2, 5) == (0.05, 40)
    assert length(60, 5) == (1.5, 40)
    assert length(2, 100) == (1, 2)
    assert length(2, 10_000) == (2, 1)


def test_what_look_ups_changed() -> None:
    (found,) = address_changes([(5, [ONE], [TWO])])
    assert found == {"at_ns": 5, "added": ["192.0.2.2:80"], "removed": ["192.0.2.1:80"]}


def test_addresses_as_people_write_them() -> None:
    assert address_text((10, ("::1", 80, 0, 0))) == "[::1]:80"
    assert address_text((1, ("/run/a",))) == "unix:/run/a"
