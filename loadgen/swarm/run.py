"""One run as the master, or a local runner, has it: orders its blocks, collects what comes, leaves results/<run>/.

Sends and receives messages through whoever made it; knows neither Locust's events nor its web UI.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

import loadgen.swarm.messages as messages
from loadgen import COMMAND
from loadgen.measure.data.environment import environment
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.data.recorder import part_directory
from loadgen.measure.data.store import RunStore
from loadgen.measure.data.worker_data import parts_in
from loadgen.measure.live.live import Live
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S, count
from loadgen.swarm.coordinator import BlockCoordinator, Members, Order
from loadgen.swarm.user_classes import ClassPolicies

# A worker that is not among the members while samples are handed over may be about to come back.
_ABSENCE_S = 6
# One that is there, but says nothing for so long, hangs.
_SILENCE_S = 300
_LOOK_EVERY_S = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """Who makes the load.

    members: the workers that are there now; send: a message to one of them; name: what people call one; is_local: it is
    this process itself, which writes into the run's folder.
    """

    members: Members
    send: Order
    name: Callable[[str], str]
    is_local: bool


class Run:
    """lanes: user classes with their policies; scenarios: those of them whose requests are made in Python.

    store: the run's folder, new. is_shown: somebody may look at it while it goes on. until_s: when Locust will end the
    run (monotonic), 0 if that is not known.
    """

    def __init__(
        self, plan: Plan, lanes: ClassPolicies, scenarios: list[str], store: RunStore, crew: WorkerGroup,
        is_shown: bool, until_s: float,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.name = store.directory.name
        self.directory = store.directory
        self.live = Live(tuple(cell.name for cell in plan.cells))
        self.facts: dict[str, Any] = {"name": self.name, "environment": environment(), "notes": []}
        self.conductor = BlockCoordinator(
            self.name, lanes, plan.seed, plan.load.block_ns / NS_PER_S, until_s, self._present, crew.send
        )
        self._lanes = lanes
        self._scenarios = scenarios
        self._store: RunStore | None = store
        self._crew = crew
        self._is_shown = is_shown
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._failed: set[str] = set()
        self._users: list[int] = []
        self._heard_s: dict[str, float] = {}
        self._parts: dict[tuple[str, int], int] = {}
        self._wake = Event()
        self._conducting: gevent.Greenlet | None = None
        self._save()

    def begin(self, most_samples: int) -> None:
        """Tell all workers of the run; those who come later are told as they come."""
        self._most_samples = most_samples
        for member in self._crew.members():
            self.welcome(member)

    def welcome(self, member: str) -> None:
        """Tell one worker of the run."""
        if member in self._begun:
            return
        order = {
            "run": self.name,
            "plan": self.plan.to_json(secrets=True),
            "lanes": {name: list(policies) for name, policies in self._lanes.items()},
            "scenarios": self._scenarios,
            "directory": str(self.directory) if self._crew.is_local else None,
            # One worker is enough to see what all of a machine's sockets cost.
            "watches": not self._begun,
            # A local run that nobody can look at needs no reports between its blocks.
            "reports": self._is_shown or not self._crew.is_local,
            "most_samples": self._most_samples,
        }
        self._begun.add(member)
        self._crew.send(messages.BEGIN, order, member)

    def users(self, number: int) -> None:
        """So many users there are now; the plan has the most that there were."""
        load = self.plan.load
        self._users.append(number)
        self.plan = replace(self.plan, load=replace(load, users=max(load.users, number)))
        if len(set(self._users)) > 1:
            self.note(
                "users_changed",
                f"there were from {min(self._users)} to {max(self._users)} users, last changed in round "
                f"{self.conductor.round + 1}; figures of one policy mix them",
                anew=True,
            )

    def foresee(self, ramp_s: float, run_s: float) -> None:
        """Say beforehand what the figures will not be able to say. ramp_s: until all users are there."""
        load = self.plan.load
        round_s = load.block_ns / NS_PER_S * max(len(policies) for policies in self._lanes.values())
        if run_s and run_s < ramp_s + round_s:
            self.note(
                "run_too_short",
                f"blocks begin when all users are there, after {ramp_s:.0f} s, and a round takes {round_s:.3g} s: the "
                f"run time of {run_s:.0f} s holds no whole round; give it more, or start users faster",
            )
        if len(set(self._lanes.values())) > 1:
            self.note(
                "policies_together",
                "the policies are those of different user classes, which load the target at the same time, and may "
                "send it different requests: what differs is not the policy alone",
            )

    def conduct(self, between: Callable[[], None]) -> None:
        """Begin to order blocks, once. between: called between two blocks."""
        if self._conducting is None:
            self.conductor.between = between
            self._conducting = gevent.spawn(self.conductor.run)

    # What comes from the workers

    def take(self, worker: str, reports: list[dict[str, Any]]) -> None:
        """Block reports. Those of a worker that was given up come too late."""
        if self._is_shown and self._counts(worker):
            for report in reports:
                self.live.take(worker, report["lane"], report)

    def news(self, data: dict[str, Any]) -> None:
        """What a worker observed of the target or warns of."""
        if "observed" in data:
            self.facts["environment"].setdefault("target", data["observed"])
        elif "warning" in data:
            self.note(**data["warning"])
        self._save()

    def note(self, code: str, message: str, *, anew: bool = False) -> None:
        """A warning for the report; said once. anew: it takes the place of what was said under this code."""
        warning = {"code": code, "message": message}
        if warning not in self.facts["notes"]:
            self.facts["notes"] = [one for one in self.facts["notes"] if not anew or one["code"] != code] + [warning]
            logger.warning("loadgen: %s", message)

    def failed(self, worker: str, message: str) -> None:
        """A worker can't go on, or can't begin. Where it is the only one, what it wrote until then is the run."""
        if self._crew.is_local:
            self.note("worker_failed", message)
            self.conductor.stop()
        else:
            self.note("worker_failed", f"{self._crew.name(worker)}: {message}")
            self.conductor.lost[worker] = self.conductor.round
            self._failed.add(worker)
        self.conductor.excuse(worker)

    def piece(self, worker: str, data: dict[str, Any]) -> None:
        """The next piece of a part's file; an empty one is its end."""
        self._heard_s[worker] = time.monotonic()
        if not self._counts(worker):
            return
        try:
            self._keep_piece(worker, data)
        except OSError as error:
            self.failed(worker, f"its samples can't be written here: {error.strerror or error}")
        self._crew.send(messages.PIECE_TAKEN, {"run": self.name}, worker)

    def _keep_piece(self, worker: str, data: dict[str, Any]) -> None:
        number = self._parts.setdefault((worker, data["part"]), len(self._parts))
        directory = part_directory(self.directory, number)
        directory.mkdir(exist_ok=True)
        path = directory / f".{SAMPLES_FILE}.new"
        if data["piece"]:
            with path.open("ab") as file:
                file.write(data["piece"])
        else:
            path.replace(directory / SAMPLES_FILE)

    def ended(self, worker: str, data: dict[str, Any]) -> None:
        """A worker has handed over all it had."""
        self.take(worker, data["reports"])
        self._ended.add(worker)
        self._wake.set()

    # The end

    def stop(self) -> None:
        """No further block; the one under way is cut short."""
        self.conductor.stop()

    def collect(self) -> None:
        """End the load, and wait until everybody has handed over the samples or is gone."""
        self.stop()
        if self._conducting is not None:
            self._conducting.join()
        self._collect()
        self._note_lost()

    def report(self) -> subprocess.CompletedProcess[str]:
        """Summarise and draw what was collected, in a process of its own; gives how that ended."""
        load = replace(self.plan.load, rounds=max(1, self.conductor.round + 1))
        self.plan = replace(self.plan, load=load)
        self._save()
        if self._store is not None:
            self._store.release()
            self._store = None
        # It takes seconds of one core's time, and the web UI is to stay alive meanwhile.
        return subprocess.run(
            [*COMMAND, "report", str(self.directory)],
            capture_output=True,
            text=True,
            check=False,
        )

    def _collect(self) -> None:
        now = time.monotonic()
        waiting = [worker for worker in self._begun if worker not in self.conductor.lost]
        for worker in waiting:
            self._heard_s[worker] = now
            self._crew.send(messages.END, {"run": self.name}, worker)
        while waiting:
            self._wake.clear()
            self._wake.wait(_LOOK_EVERY_S)
            now, present = time.monotonic(), self._crew.members()
            for worker in waiting:
                patience_s = _SILENCE_S if worker in present else _ABSENCE_S
                if worker not in self._ended and now - self._heard_s[worker] > patience_s:
                    self.conductor.lost[worker] = self.conductor.round
            waiting = [one for one in waiting if one not in self._ended and one not in self.conductor.lost]

    def _note_lost(self) -> None:
        """Leave out what a lost worker had sent, and say so."""
        lost = self.conductor.lost
        for worker, in_round in lost.items():
            self.live.drop(worker)
            for (owner, _), number in self._parts.items():
                if owner == worker:
                    shutil.rmtree(part_directory(self.directory, number), ignore_errors=True)
            if worker in self._failed:  # it has said why itself
                continue
            self.note(
                "worker_lost",
                f"{self._crew.name(worker)}, one of {count(len(self._begun), 'worker')}, was lost in round "
                f"{in_round + 1}; the results hold what the others measured, until then beside its load",
            )

    @property
    def goes_on(self) -> bool:
        """Somebody still makes load."""
        return not self._crew.is_local and any(one not in self.conductor.lost for one in self._present())

    @property
    def has_samples(self) -> bool:
        """Something that was measured lies in the run's folder."""
        return bool(parts_in(self.directory))

    # Inside

    def _present(self) -> list[str]:
        """Workers that take part: those who are there and know of the run."""
        return [member for member in self._crew.members() if member in self._begun]

    def _counts(self, worker: str) -> bool:
        return worker in self._begun and worker not in self.conductor.lost

    def _save(self) -> None:
        """What is known so far, so that a run that is cut off can be read."""
        self.facts["plan"] = self.plan.to_json(secrets=False)
        if self._store is not None:
            with suppress(OSError):
                self._store.save_run(self.facts)


def new_folder(results: Path, name: str) -> RunStore:
    """A new run's folder: of a name that is taken the next free one. Raises PlanError."""
    if "/" in name or name.startswith(".") or not name.isprintable():
        raise PlanError(f"--run-name {name!r} can't be a folder's name")
    taken = 1
    while True:
        directory = results / (name if taken == 1 else f"{name}-{taken}")
        if not directory.exists():
            return RunStore.create(directory)
        taken += 1
