"""Orders block after block: all workers run the same blocks at the same time. Knows no file and no statistics."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from gevent.event import Event

import loadgen.swarm.messages as messages
from loadgen.model.units import NS_PER_S
from loadgen.swarm.absences import Absences
from loadgen.swarm.round_times import RoundTimes
from loadgen.swarm.start_times import StartTimes
from loadgen.swarm.user_classes import ClassPolicies
from loadgen.swarm.worker_clocks import SendToWorker

POLL_S = 0.2
"""How often the coordinating process looks whether workers have come or gone."""
_USERS_PATIENCE_S = 10.0


def patience_s(now_s: float, until_s: float) -> float:
    """How long to wait for users that do not begin: a short run must have its rounds, with the users that it has.

    until_s: when the run will end, by the same clock; 0 if that is not known.
    """
    return min(_USERS_PATIENCE_S, max(0.0, until_s - now_s) * 0.75) if until_s else _USERS_PATIENCE_S


class BlockCoordinator:
    """The order of one run's blocks.

    A round has as many turns as a user class has policies. In each turn every class runs a block of one of its
    policies; `seed` shuffles the turns of each round.
    """

    def __init__(
        self,
        run: str,
        class_policies: ClassPolicies,
        seed: int,
        block_s: float,
        until_s: float,
        workers: Callable[[], Collection[str]],
        send: SendToWorker,
        clock: Callable[[], float] = time.monotonic,
        poll_s: float = POLL_S,
        start_times: StartTimes | None = None,
    ) -> None:
        self.round = -1
        """The present round, counted from 0."""
        self.lost: dict[str, int] = {}
        """Workers that take part no longer, each with its last round."""
        self.absences = Absences()
        """Workers that went away in a block, and may come back for a later round."""
        self.incomplete: set[int] = set()
        """Rounds that were cut short, or that not all of their workers ran to the end: they can't be compared."""
        self.rounds_s: list[float] = []
        """How long each round took, from its first order to the end of what follows its last block."""
        self.on_absence: Callable[[], None] = lambda: None
        """Called when a worker went away or is back."""
        self.expected_users: Callable[[], int] = lambda: 0
        """Gives how many users there are to be now, on all workers."""
        self.on_users: Callable[[int, int, Mapping[str, int]], None] = lambda number, expected, users: None
        """Called after each block that counts, with its round, the expected users, and those of each class."""
        self.between_blocks: Callable[[], None] = lambda: None
        """Called after each block, while no request is under way."""
        self._run = run
        self._class_policies = class_policies
        self._policies = list(dict.fromkeys(name for policies in class_policies.values() for name in policies))
        self._turns = max(len(policies) for policies in class_policies.values())
        self._shuffle = random.Random(seed).shuffle  # noqa: S311 # an order, not a secret
        self._times = RoundTimes(self._turns * block_s)
        self._until_s = until_s
        """No round begins that would end after this time of the clock; 0 for no limit."""
        self._workers = workers
        """Gives the workers that can take part now."""
        self._send = send
        self._clock = clock
        self._poll_s = poll_s
        self._start_times = start_times or StartTimes(send)
        self._wake = Event()
        self._is_stopped = False
        self._preparing: set[str] = set()
        """Workers that are not ready for the present block yet, of several that begin it together."""
        self._is_together = False
        """Several workers run the present block, and begin it at the same time."""
        self._running: set[str] = set()
        """Workers that have not finished the present block."""
        self._users: Counter[str] = Counter()
        """Users of each class that the workers had in the present block."""
        self._has_run = False
        """Some user class of some worker has run the present block."""
        self._waited_s = 0.0
        """How long a worker waited for its users before the present block."""
        self._has_waited = False
        """Workers have waited for their users."""
        self._turn = -1
        self._turns_left = 0
        """Turns of the present round that have not begun."""

    def run(self) -> None:
        """Order blocks until stopped, or until the time is up."""
        while self._has_time():
            self.round += 1
            # A worker that joins mid-round would load some policies more than others, so workers are fixed per round.
            workers = self._wait_for_workers()
            begun_s = self._clock()
            if not self._run_round(workers):
                self._take_back_round()
                continue
            self.rounds_s.append(self._clock() - begun_s)
            self._times.end_round()

    def _run_round(self, workers: list[str]) -> bool:
        """False where no worker had users: the round can't be one, and is to be tried again."""
        expected = self.expected_users()  # of a change in the middle of it the next round has the users
        turns = list(range(self._turns))
        self._shuffle(turns)
        self._turns_left = len(turns)
        index = self.round * len(self._policies)
        for turn in turns:
            if self._is_stopped:  # perhaps between two blocks: the workers then run no further one
                break
            # User classes that have the same policy share a block.
            policies_now = dict.fromkeys(policies[turn] for policies in self._class_policies.values())
            self._turns_left -= 1
            begun_s = self._clock()
            self._run_block(workers, turn, {policy: index + offset for offset, policy in enumerate(policies_now)})
            index += len(policies_now)
            if not self.round or self.round not in self.incomplete:  # figures are of the first one if no round is whole
                self.on_users(self.round, expected, self._users)
            if not self._is_stopped:
                self.between_blocks()
                if not self._has_run and turn == turns[0]:
                    return False
            self._times.add_block(self._clock() - begun_s - self._waited_s)
        return True

    def _take_back_round(self) -> None:
        """The present round had no users, so that its number is free. Look again a little later."""
        self.incomplete.discard(self.round)
        self._turns_left = 0
        self.round -= 1
        if not self._is_stopped:
            self._wait()

    def block_ready(self, worker: str, round_number: int, turn: int) -> None:
        """A worker is ready to begin a block."""
        if (round_number, turn) == (self.round, self._turn):
            self._preparing.discard(worker)
            self._wake.set()

    def block_done(self, worker: str, done: Mapping[str, Any]) -> None:
        """A worker has finished a block; see `messages.BlockDone`."""
        if self._is_together:
            self._start_times.began(done["late_ns"])
            self._start_times.ask(worker)  # now it has nothing else to do
        if (done["round"], done["turn"]) != (self.round, self._turn):
            return
        if worker in self._running:
            self._users.update({name: done["users"].get(name, 0) for name in self._class_policies})
            self._has_run = self._has_run or done["has_run"]
            self._waited_s = max(self._waited_s, done["waited_ns"] / NS_PER_S)
        self.stop_waiting_for(worker)

    def stop_waiting_for(self, worker: str) -> None:
        """Wait no longer for this worker's present block."""
        self._preparing.discard(worker)
        self._running.discard(worker)
        self._wake.set()

    def give_up(self, worker: str) -> None:
        """This worker takes part no longer."""
        away = self.absences.now.get(worker)
        self.lost[worker] = self.round if away is None else away.first_round
        self._leave_out(worker)

    def _leave_out(self, worker: str) -> None:
        """Go on without this worker; a round that it was in the middle of is incomplete."""
        if worker in self._running:
            self.incomplete.add(self.round)
        self.stop_waiting_for(worker)

    def stop(self) -> None:
        """Order no further block; all workers cut the present one short."""
        self._is_stopped = True
        if self._running or self._turns_left:
            self.incomplete.add(self.round)
        for worker in self._workers():
            self._send(messages.CUT_BLOCK, {"run": self._run}, worker)
        self._wake.set()

    def _has_time(self) -> bool:
        """Whether another round may begin.

        A round that is cut in the middle can't be compared, so none begins that has no time to end. The first one
        always does: of a short run it is all there is.
        """
        if self._is_stopped:
            return False
        return not self._until_s or self.round < 0 or self._clock() + self._times.next_s() <= self._until_s

    def _wait_for_workers(self) -> list[str]:
        """The workers of a round; none if the run is stopped before there is a worker."""
        while not self._is_stopped:
            workers = [worker for worker in self._workers() if worker not in self.lost]
            if workers:
                if self.absences.end(workers, self.round):
                    self.on_absence()
                return workers
            self._wait()
        return []

    def _run_block(self, workers: list[str], turn: int, index: dict[str, int]) -> None:
        """Order one block of each user class and wait until all workers that are still there have finished it.

        Several workers get ready first, and then begin at the same time.
        """
        self._turn = turn
        self._users, self._has_run, self._waited_s = Counter(), False, 0.0
        out = self.absences.now
        self._running = {worker for worker in workers if worker not in self.lost and worker not in out}
        self._is_together = len(self._running) > 1
        self._preparing = set(self._running) if self._is_together else set()
        blocks = {
            user_class: [index[policies[turn]], policies[turn]] for user_class, policies in self._class_policies.items()
        }
        block = {"run": self._run, "round": self.round, "turn": turn}
        begins_round = self._turns_left == self._turns - 1
        order = {
            **block,
            "begins_round": begins_round,
            "users_wait_s": self._users_wait_s(),
            "blocks": blocks,
            "waits": self._is_together,
        }
        for worker in list(self._running):
            self._send(messages.RUN_BLOCK, order, worker)
        self._wait_for(self._preparing)
        if self._is_together and not self._is_stopped:
            self._start_times.start(list(self._running), block)
        self._wait_for(self._running)

    def _users_wait_s(self) -> float:
        """How long workers wait for users that are still about to begin: before a run's first block."""
        if self._has_waited:
            return 0.0
        self._has_waited = True
        return patience_s(self._clock(), self._until_s)

    def _wait_for(self, pending: set[str]) -> None:
        """Wait until this set of running workers is empty; without those that go away meanwhile."""
        while pending:
            self._wait()
            for worker in self._running.difference(self._workers()):
                self.absences.begin(worker, self.round, self._clock())
                self._leave_out(worker)
                self.on_absence()

    def _wait(self) -> None:
        self._wake.clear()
        self._wake.wait(self._poll_s)
