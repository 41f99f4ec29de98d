"""Rounds and blocks: every policy once a round, in an order that the seed alone decides."""

from __future__ import annotations

import pytest

from loadgen.drive.schedule import Block, blocks
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target

NAMES = ("persistent", "close", "close-resume")


def schedule(seed: int = 1, rounds: int = 12, policies: tuple[str, ...] = NAMES) -> list[Block]:
    plan = Plan(parse_target("https://h/"), parse_policies(",".join(policies)), Load(rounds=rounds), seed=seed)
    return list(blocks(plan))


def orders(scheduled: list[Block], size: int = len(NAMES)) -> list[tuple[str, ...]]:
    names = [block.cell.name for block in scheduled]
    return [tuple(names[at : at + size]) for at in range(0, len(names), size)]


@pytest.mark.parametrize("policies", [NAMES[:1], NAMES[:2], NAMES])
@pytest.mark.parametrize("rounds", [1, 2, 12])
def test_every_policy_once_a_round(policies: tuple[str, ...], rounds: int) -> None:
    scheduled = schedule(rounds=rounds, policies=policies)
    assert [block.index for block in scheduled] == list(range(rounds * len(policies)))
    assert [block.round for block in scheduled] == [number for number in range(rounds) for _ in policies]
    assert [sorted(order) for order in orders(scheduled, len(policies))] == [sorted(policies)] * rounds


def test_one_seed_gives_one_order() -> None:
    assert schedule(seed=7) == schedule(seed=7)


def test_seeds_give_different_orders() -> None:
    assert len({tuple(orders(schedule(seed))) for seed in range(20)}) > 15


def test_rounds_are_shuffled_anew() -> None:
    assert len(set(orders(schedule(rounds=60)))) == 6  # all orders of three policies turn up


def test_no_policy_is_favoured() -> None:
    first = [order[0] for seed in range(50) for order in orders(schedule(seed))]
    assert all(0.25 < first.count(name) / len(first) < 0.42 for name in NAMES)


def test_more_rounds_do_not_change_the_first_ones() -> None:
    assert schedule(rounds=12)[:9] == schedule(rounds=3)
