"""Orders block after block: every worker runs the same ones at the same time. Knows no file and no statistics."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from typing import Any

from gevent.event import Event

import loadgen.swarm.messages as messages
from loadgen.swarm.user_classes import ClassPolicies

_LOOK_EVERY_S = 0.2

Members = Callable[[], Collection[str]]
Order = Callable[[str, dict[str, Any], str], None]


class BlockCoordinator:
    """One run's order of blocks.

    A round has as many turns as a lane has policies; in each turn every lane runs a block of one of its policies, in an
    order shuffled by `seed`. members: who takes part now. order: sends a message to one of them. lost: those who were
    ordered a block and went away before it was done, with the round. between: called after each block. until_s: no
    round begins that would not end before this time (monotonic, s); 0 for no such time.
    """

    def __init__(
        self, run: str, lanes: ClassPolicies, seed: int, block_s: float, until_s: float, members: Members, order: Order
    ) -> None:
        self.round = -1
        self.lost: dict[str, int] = {}
        self.between: Callable[[], None] = lambda: None
        self._run = run
        self._lanes = lanes
        self._policies = list(dict.fromkeys(name for policies in lanes.values() for name in policies))
        self._turns = max(len(policies) for policies in lanes.values())
        self._shuffle = random.Random(seed).shuffle  # noqa: S311 # an order, not a secret
        self._round_s = self._turns * block_s
        self._until_s = until_s
        self._members = members
        self._order = order
        self._wake = Event()
        self._stopped = False
        self._waiting: set[str] = set()
        self._turn = -1

    def run(self) -> None:
        """Order blocks until stopped, or until the time is up."""
        while self._goes_on():
            self.round += 1
            turns = list(range(self._turns))
            self._shuffle(turns)
            index = self.round * len(self._policies)
            # Who comes in the middle of a round would load one policy more than another.
            members = self._await_members()
            for turn in turns:
                # Lanes of one policy share a block.
                shared = dict.fromkeys(policies[turn] for policies in self._lanes.values())
                self._block(members, turn, {policy: index + number for number, policy in enumerate(shared)})
                index += len(shared)
                if self._stopped:
                    return
                self.between()

    def done(self, member: str, round_number: int, turn: int) -> None:
        """A member has finished a block."""
        if (round_number, turn) == (self.round, self._turn):
            self._waiting.discard(member)
            self._wake.set()

    def excuse(self, member: str) -> None:
        """Wait no longer for what a member was ordered."""
        self._waiting.discard(member)
        self._wake.set()

    def stop(self) -> None:
        """No further block; the one under way is cut short by all."""
        self._stopped = True
        for member in self._members():
            self._order(messages.STOP, {"run": self._run}, member)
        self._wake.set()

    def _goes_on(self) -> bool:
        if self._stopped:
            return False
        # What would be cut off in the middle compares with nothing; but of a short run that is all there is.
        return not self._until_s or self.round < 0 or time.monotonic() + self._round_s <= self._until_s

    def _await_members(self) -> list[str]:
        """Who takes part in a round; none if the run is stopped before there is anybody."""
        while not self._stopped:
            members = [one for one in self._members() if one not in self.lost]
            if members:
                return members
            self._wake.clear()
            self._wake.wait(_LOOK_EVERY_S)
        return []

    def _block(self, members: list[str], turn: int, index: dict[str, int]) -> None:
        """Order one block of each lane and wait until all who are there have done it."""
        self._turn = turn
        self._waiting = {one for one in members if one not in self.lost}
        blocks = {name: [index[policies[turn]], policies[turn]] for name, policies in self._lanes.items()}
        for member in list(self._waiting):
            self._order(messages.BLOCK, {"run": self._run, "round": self.round, "turn": turn, "blocks": blocks}, member)
        while self._waiting:
            self._wake.clear()
            self._wake.wait(_LOOK_EVERY_S)
            for member in self._waiting.difference(self._members()):
                self.lost[member] = self.round
                self.excuse(member)
