"""The order of blocks: rounds, workers that join or are lost in mid-round, and what cuts a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

import loadgen.swarm.messages as messages
from loadgen.swarm.coordinator import BlockCoordinator
from loadgen.swarm.user_classes import ClassPolicies
from tests.support.fake_swarm import CLASS_POLICIES, Clock, FakeChannel, block_done


class Rig:
    """A coordinator whose workers finish each block at once, unless `answer` says otherwise."""

    def __init__(
        self, *workers: str, policies: ClassPolicies = CLASS_POLICIES, until_s: float = 0.0, seed: int = 1
    ) -> None:
        self.clock = Clock()
        self.channel = FakeChannel(*workers)
        self.coordinator = BlockCoordinator(
            *("r", policies, seed, 2.0, until_s, self.channel.workers, self.channel.send_to_worker, self.clock, 0.001),
        )
        self.answer: Callable[[dict[str, Any], str], None] = self.finish
        self.after_block: Callable[[int], None] = lambda blocks: None
        self.blocks = 0
        self.channel.on_message = self._on_message
        self.coordinator.between_blocks = self._between_blocks

    def finish(self, order: dict[str, Any], worker: str) -> None:
        self.coordinator.block_done(worker, block_done(order))

    def go_away(self, worker: str, round_number: int) -> None:
        """Have this worker go away in place of finishing a block of this round."""

        def answer(order: dict[str, Any], asked: str) -> None:
            if asked == worker and order["round"] == round_number:
                self.channel.present.remove(worker)
            else:
                self.finish(order, asked)

        self.answer = answer

    def run(self, max_blocks: int = 1000) -> None:
        """Until the coordinator ends, or is stopped after `max_blocks` blocks."""
        self._max_blocks = max_blocks
        with gevent.Timeout(10):
            self.coordinator.run()

    def orders(self, worker: str = "a") -> list[dict[str, Any]]:
        return [data for kind, data, to in self.channel.sent if kind == messages.RUN_BLOCK and to == worker]

    def _on_message(self, kind: str, data: dict[str, Any], worker: str) -> None:
        if kind == messages.RUN_BLOCK:
            self.answer(data, worker)

    def _between_blocks(self) -> None:
        self.blocks += 1
        self.after_block(self.blocks)
        if self.blocks >= self._max_blocks:
            self.coordinator.stop()


def test_a_round_has_one_block_of_each_policy_for_all_workers() -> None:
    rig = Rig("a", "b", policies={"One": ("persistent", "close", "recycle:5")})
    rig.run(max_blocks=9)
    assert rig.orders("a")[:9] == rig.orders("b")[:9]
    for number in range(3):
        blocks = [order["blocks"]["One"] for order in rig.orders()[number * 3 : number * 3 + 3]]
        assert sorted(policy for _, policy in blocks) == ["close", "persistent", "recycle:5"]
        assert [index for index, _ in blocks] == [number * 3, number * 3 + 1, number * 3 + 2]


def test_the_seed_makes_the_order_and_rounds_differ() -> None:
    def order(seed: int) -> list[str]:
        rig = Rig("a", seed=seed)
        rig.run(max_blocks=16)
        return [one["blocks"]["Alternating"][1] for one in rig.orders()]

    assert order(1) == order(1)
    assert order(1) != order(2)
    first = order(1)
    assert len({tuple(first[at : at + 2]) for at in range(0, 16, 2)}) == 2


def test_user_classes_of_one_policy_share_a_block() -> None:
    rig = Rig("a", policies={"One": ("persistent", "close"), "Other": ("persistent", "close")})
    rig.run(max_blocks=4)
    for order in rig.orders()[:4]:
        assert order["blocks"]["One"] == order["blocks"]["Other"]
    assert [order["blocks"]["One"][0] for order in rig.orders()[:4]] == [0, 1, 2, 3]


def test_user_classes_of_two_policies_run_side_by_side_in_each_round() -> None:
    rig = Rig("a", policies={"One": ("persistent",), "Other": ("close",)})
    rig.run(max_blocks=3)
    assert [order["blocks"] for order in rig.orders()[:3]] == [
        {"One": [0, "persistent"], "Other": [1, "close"]},
        {"One": [2, "persistent"], "Other": [3, "close"]},
        {"One": [4, "persistent"], "Other": [5, "close"]},
    ]


def test_a_worker_that_joins_in_mid_round_waits_for_the_next_one() -> None:
    rig = Rig("a", policies={"One": ("persistent", "close", "recycle:5")})
    rig.after_block = lambda blocks: rig.channel.present.append("late") if blocks == 1 else None
    rig.run(max_blocks=6)
    assert {order["round"] for order in rig.orders("late")} == {1}
    assert len(rig.orders("late")) == 3


def test_a_worker_that_goes_away_in_a_block_is_lost_and_the_others_go_on() -> None:
    rig = Rig("a", "b")
    rig.go_away("b", 1)
    rig.run(max_blocks=6)
    assert [(one.worker, one.first_round, one.back_in) for one in rig.coordinator.absences.all] == [("b", 1, None)]
    assert rig.coordinator.incomplete == {1}
    assert len(rig.orders("b")) == 3
    assert len(rig.orders("a")) >= 6


def test_a_worker_that_is_back_takes_part_from_the_next_round_on() -> None:
    rig = Rig("a", "b")
    rig.coordinator.on_absence = lambda: changes.append(rig.coordinator.round)
    changes: list[int] = []
    rig.go_away("b", 1)
    rig.after_block = lambda blocks: rig.channel.present.append("b") if blocks == 3 else None
    rig.run(max_blocks=6)
    assert [(order["round"], order["turn"]) for order in rig.orders("b")].count((1, 0)) <= 1
    assert [order["round"] for order in rig.orders("b")] == [0, 0, 1, 2, 2]
    assert rig.coordinator.incomplete == {1}
    assert changes == [1, 2]


def test_several_workers_get_ready_and_begin_together() -> None:
    """No one is told to begin before all are ready; a lone worker does not wait."""
    rig = Rig("a", "b")
    told: list[str] = []

    def answer(order: dict[str, Any], worker: str) -> None:
        assert order["waits"]
        gevent.spawn(get_ready, order, worker)

    def get_ready(order: dict[str, Any], worker: str) -> None:
        if worker == "b":
            gevent.sleep(0.005)
            assert told == []
        rig.coordinator.block_ready(worker, order["round"], order["turn"])

    def on_message(kind: str, data: dict[str, Any], worker: str) -> None:
        if kind == messages.RUN_BLOCK:
            answer(data, worker)
        elif kind == messages.START_BLOCK:
            told.append(worker)
            gevent.spawn(rig.finish, data, worker)

    rig.channel.on_message = on_message
    rig.run(max_blocks=1)
    assert sorted(told) == ["a", "b"]
    alone = Rig("a")
    alone.run(max_blocks=1)
    assert alone.orders()[0]["waits"] is False
    assert [kind for kind, _, _ in alone.channel.sent] == [messages.RUN_BLOCK, messages.CUT_BLOCK]


def test_a_lost_worker_that_comes_back_gets_no_block() -> None:
    rig = Rig("a", "b")
    rig.coordinator.lost["b"] = 0
    rig.run(max_blocks=2)
    assert rig.orders("b") == []


def test_a_worker_that_failed_is_not_waited_for() -> None:
    rig = Rig("a", "b")
    rig.answer = lambda order, worker: rig.coordinator.give_up(worker) if worker == "b" else rig.finish(order, worker)
    rig.run(max_blocks=4)
    assert (rig.coordinator.lost, rig.coordinator.incomplete) == ({"b": 0}, {0})
    assert rig.blocks == 4


def test_a_late_answer_does_not_end_another_block() -> None:
    rig = Rig("a", "b")
    stale = []

    def answer(order: dict[str, Any], worker: str) -> None:
        if worker == "b":
            rig.coordinator.block_done("b", block_done({**order, "round": order["round"] - 1}))
            stale.append(order)
            gevent.spawn(rig.finish, order, "b")
        else:
            rig.finish(order, worker)

    rig.answer = answer
    rig.run(max_blocks=2)
    assert len(stale) == 2
    assert rig.blocks == 2


def test_without_workers_it_waits_until_one_comes() -> None:
    rig = Rig()
    gevent.spawn(rig.channel.present.append, "a")
    rig.run(max_blocks=2)
    assert rig.blocks == 2
    assert rig.coordinator.round == 0


def test_stopped_without_workers_it_ends() -> None:
    rig = Rig()
    gevent.spawn(rig.coordinator.stop)
    rig.run()
    assert rig.blocks == 0


def test_stop_cuts_the_present_block_on_all_workers() -> None:
    rig = Rig("a", "b")
    held: list[tuple[dict[str, Any], str]] = []

    def answer(order: dict[str, Any], worker: str) -> None:
        held.append((order, worker))
        if len(held) == 2:
            gevent.spawn(stop)

    def stop() -> None:
        rig.coordinator.stop()
        for order, worker in held:
            rig.finish(order, worker)

    rig.answer = answer
    rig.run()
    assert [worker for kind, _, worker in rig.channel.sent if kind == messages.CUT_BLOCK] == ["a", "b"]
    assert rig.coordinator.incomplete == {0}
    assert (rig.blocks, len(held)) == (0, 2)


def test_stopped_between_two_blocks_it_orders_no_further_one() -> None:
    """Workers that have stopped would not answer it."""
    rig = Rig("a")
    rig.answer = lambda order, worker: None if rig.blocks else rig.finish(order, worker)
    rig.run(max_blocks=1)
    assert len(rig.orders()) == 1
    assert rig.coordinator.incomplete == {0}


def test_stopped_after_its_last_block_a_round_is_whole() -> None:
    rig = Rig("a")
    rig.run(max_blocks=4)
    assert (rig.coordinator.round, rig.coordinator.incomplete) == (1, set())


@pytest.mark.parametrize(
    ("block_s", "seconds", "rounds"),
    [(2, 1, 1), (2, 4, 1), (2, 7.9, 1), (2, 8, 2), (2, 12, 3), (3, 11.9, 1), (3, 12, 2), (3, 17.9, 2), (3, 18, 3)],
)
def test_no_round_begins_that_has_no_time_to_end(block_s: float, seconds: float, rounds: int) -> None:
    """Two blocks of 2 s are planned for a round, and may take longer; the first round begins in any case."""
    rig = Rig("a", until_s=1000.0 + seconds)

    def answer(order: dict[str, Any], worker: str) -> None:
        rig.clock.now_s += block_s
        rig.finish(order, worker)

    rig.answer = answer
    rig.run()
    assert rig.coordinator.round + 1 == rounds


# Users


def test_a_round_in_which_no_worker_has_users_is_none() -> None:
    """It would be over at once, and one would follow the other as fast as messages go."""
    rig = Rig("a", "b")
    seen: list[tuple[int, int, dict[str, int]]] = []
    rig.coordinator.expected_users = lambda: 4
    rig.coordinator.on_users = lambda number, expected, users: seen.append((number, expected, dict(users)))

    def answer(order: dict[str, Any], worker: str) -> None:
        users = 2 if worker == "b" and len(rig.orders("b")) > 2 else 0
        rig.coordinator.block_done(worker, block_done(order, users))

    rig.answer = answer
    rig.run(max_blocks=6)
    assert [(order["round"], order["begins_round"]) for order in rig.orders()] == [
        (0, True), (0, True), (0, True), (0, False), (1, True), (1, False)
    ]  # fmt: skip
    assert seen[1:] == [(0, 4, {"Alternating": 0}), *((number, 4, {"Alternating": 2}) for number in (0, 0, 1, 1))]
    assert rig.coordinator.round == 1
    assert len(rig.coordinator.rounds_s) == 2
    assert rig.coordinator.incomplete == set()


def test_users_that_locust_starts_in_mid_round_are_expected_from_the_next_one_on() -> None:
    rig = Rig("a")
    seen: list[tuple[int, int]] = []
    rig.coordinator.on_users = lambda number, expected, users: seen.append((number, expected))
    rig.coordinator.expected_users = lambda: 4

    def more(_block: int) -> None:
        rig.coordinator.expected_users = lambda: 8

    rig.after_block = more
    rig.run(max_blocks=4)
    assert seen == [(0, 4), (0, 4), (1, 8), (1, 8)]


def test_a_round_that_a_worker_left_says_nothing_of_users() -> None:
    rig = Rig("a", "b")
    seen: list[int] = []
    rig.coordinator.on_users = lambda number, expected, users: seen.append(users["Alternating"])
    rig.go_away("b", 1)
    rig.run(max_blocks=6)
    assert seen == [8, 8, 4, 4]


@pytest.mark.parametrize(("until_s", "waits_s"), [(0.0, 10.0), (1100.0, 10.0), (1008.0, 6.0), (900.0, 0.0)])
def test_workers_wait_for_their_users_before_the_first_block_alone(until_s: float, waits_s: float) -> None:
    rig = Rig("a", until_s=until_s)
    rig.run(max_blocks=2)
    assert [order["users_wait_s"] for order in rig.orders()] == [waits_s, 0.0]


def test_that_wait_is_not_expected_of_the_next_round() -> None:
    rig = Rig("a", policies={"Alternating": ("persistent",)}, until_s=1012.0)

    def answer(order: dict[str, Any], worker: str) -> None:
        waits_s = 5.0 if order["users_wait_s"] else 0.0
        rig.clock.now_s += waits_s + 2.0
        rig.coordinator.block_done(worker, block_done(order, waited_ns=int(waits_s * 1e9)))

    rig.answer = answer
    rig.run()
    assert rig.coordinator.round == 2


def test_of_a_run_that_is_cut_in_its_first_round_users_are_known_too() -> None:
    """Where no round is whole, the figures are of its parts."""
    rig = Rig("a")
    seen: list[int] = []
    rig.coordinator.on_users = lambda number, expected, users: seen.append(users["Alternating"])

    def answer(order: dict[str, Any], worker: str) -> None:
        rig.coordinator.stop()
        rig.finish(order, worker)

    rig.answer = answer
    rig.run()
    assert (seen, rig.coordinator.incomplete) == ([4], {0})
