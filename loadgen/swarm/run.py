"""One run as the coordinating process has it: begins it on the workers, follows them, and collects their samples.

Sends messages through a `WorkerChannel`; knows neither Locust's events nor its web UI.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent

import loadgen.swarm.messages as messages
from loadgen.measure.live.block_report import BlockReport, check_report
from loadgen.measure.live.live import Live
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.model.warning_codes import WarningCode
from loadgen.swarm.coordinator import POLL_S, BlockCoordinator
from loadgen.swarm.hand_over import HandOver
from loadgen.swarm.load_users import LoadUsers
from loadgen.swarm.messaging import WorkerChannel, bad_message
from loadgen.swarm.run_facts import RunFacts
from loadgen.swarm.run_folder import FileLimits, RunFolder
from loadgen.swarm.run_notes import (
    no_whole_round,
    other_users,
    policies_together,
    run_too_short,
    worker_lost,
    workers_away,
)
from loadgen.swarm.start_times import StartTimes
from loadgen.swarm.user_classes import ClassPolicies


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked for beside its plan."""

    class_policies: ClassPolicies
    scenarios: tuple[str, ...] = ()
    """User classes whose requests are made by scenarios in Python."""
    is_watched: bool = False
    """People may look at the run while it goes on."""
    max_samples: int = 5_000_000
    """Samples that each worker sends at the end."""
    until_s: float = 0.0
    """When Locust will end the run, by the clock; 0 if that is not known."""


class LocustRun:
    """A run from its first message to its report. `folder` is new, and this run's own."""

    def __init__(
        self,
        plan: Plan,
        options: RunOptions,
        folder: RunFolder,
        channel: WorkerChannel,
        clock: Callable[[], float] = time.monotonic,
        poll_s: float = POLL_S,
    ) -> None:
        self.plan = plan
        self.name = folder.directory.name
        self._cells = tuple(cell.name for cell in plan.cells)
        self.live = Live(self._cells)
        """The figures so far, merged from the reports of all workers."""
        self._record = RunFacts(self.name)
        self.start_times = StartTimes(channel.send_to_worker)
        self.coordinator = BlockCoordinator(
            run=self.name,
            class_policies=options.class_policies,
            seed=plan.seed,
            block_s=plan.load.block_ns / NS_PER_S,
            until_s=options.until_s,
            workers=self._present,
            send=channel.send_to_worker,
            clock=clock,
            poll_s=poll_s,
            start_times=self.start_times,
        )
        self._options = options
        self._folder = folder
        self._channel = channel
        self._begun: set[str] = set()
        """Workers that know of the run."""
        self._failed: set[str] = set()
        """Workers that said themselves why they can't go on."""
        self._misfits: set[str] = set()
        """Workers of which a warning says that a message was not used."""
        self._load_users = LoadUsers()
        self._most_users, self._spawned_users = 1, 0
        self._hand_over = HandOver(channel.workers, self.coordinator.lost.__contains__, clock, poll_s)
        self._blocks: gevent.Greenlet | None = None
        self.coordinator.on_absence = self._note_absences
        self.coordinator.on_users = self._note_users
        # While Locust stops users it says nothing until it has, but wants fewer.
        self.coordinator.expected_users = lambda: min(self._spawned_users, channel.wanted_users())
        self._save_facts()

    @property
    def until_s(self) -> float:
        """When Locust will end the run, by the monotonic clock; 0 if that is not known."""
        return self._options.until_s

    @property
    def facts(self) -> dict[str, Any]:
        """What `run.json` holds."""
        return self._record.values

    @property
    def directory(self) -> Path:
        return self._folder.directory

    def begin(self) -> None:
        """Begin the run on all workers that are there; `add_worker` begins it on those that come later."""
        for worker in self._channel.workers():
            self.add_worker(worker)

    def add_worker(self, worker: str) -> None:
        """Begin the run on one worker."""
        if worker in self._begun:
            return
        options, is_local = self._options, self._channel.is_local
        order = {
            "run": self.name,
            "plan": self.plan.to_json(secrets=True),
            "class_policies": {name: list(policies) for name, policies in options.class_policies.items()},
            "scenarios": list(options.scenarios),
            "directory": str(self.directory) if is_local else None,
            # One worker is enough to see what all of a machine's sockets cost.
            "monitors": not self._begun,
            # A local run without a web UI needs no reports between its blocks.
            "wants_reports": options.is_watched or not is_local,
            "max_samples": options.max_samples,
        }
        self._begun.add(worker)
        if not is_local:
            self.start_times.ask(worker)
        self._channel.send_to_worker(messages.BEGIN_RUN, order, worker)

    def start_blocks(self, between_blocks: Callable[[], None]) -> None:
        """Begin to order blocks; a second call changes nothing. between_blocks: called after each block."""
        if self._blocks is None:
            self.coordinator.between_blocks = between_blocks
            self._blocks = gevent.spawn(self.coordinator.run)

    def set_users(self, number: int) -> None:
        """Locust has started this number of the run's users."""
        self._spawned_users = number
        self._plan_for(number)

    def _plan_for(self, users: int) -> None:
        """The plan has the largest number of users that there were."""
        self._most_users = max(self._most_users, users)
        self.plan = replace(self.plan, load=replace(self.plan.load, users=self._most_users))

    # Warnings

    def note_expected(self, ramp_s: float, run_s: float) -> None:
        """Warn of what the figures will not show. ramp_s: until all users are there."""
        turns = max(len(policies) for policies in self._options.class_policies.values())
        round_s = self.plan.load.block_ns / NS_PER_S * turns
        for note in (*run_too_short(ramp_s, round_s, run_s), *policies_together(self._options.class_policies)):
            self.note(*note)

    def note_others(self, dispatched: Mapping[str, int]) -> None:
        """dispatched: how many users of each class Locust has started, the run's own among them."""
        others = {name: number for name, number in dispatched.items() if name not in self._options.class_policies}
        for code, message in other_users(others):
            self.note(code, message, replaces=True)

    def _note_users(self, round_number: int, expected: int, users: Mapping[str, int]) -> None:
        """Of a block: how many users there were to be, and how many of each class made load."""
        self._load_users.take(round_number, expected, users)
        self._plan_for(sum(users.values()))  # while Locust is starting more, these are not all
        for code, message in self._load_users.notes():
            self.note(code, message, replaces=True)

    def note(self, code: str, message: str, *, replaces: bool = False) -> None:
        """A warning for the report; see `RunFacts.note`."""
        self._record.note(code, message, replaces=replaces)

    # Messages from the workers

    def take_reports(self, worker: str, reports: list[BlockReport]) -> None:
        """Block reports. Those of a lost worker come too late."""
        if not (self._options.is_watched and self._takes_part(worker)):
            return
        for report in reports:
            try:
                self._check_report(report)
            except ValueError as error:
                self.misfit(messages.BLOCK_REPORTS, worker, str(error))
            else:
                if report["block"]["round"] not in self.coordinator.incomplete:
                    self.live.take(worker, report["user_class"], report)

    def _check_report(self, report: BlockReport) -> None:
        """Raise ValueError where it can't be one of this run."""
        if report.get("user_class") not in self._options.class_policies:
            raise ValueError("it is of an unknown user class")
        if report["block"]["round"] > self.coordinator.round:
            raise ValueError("its block has not been ordered")
        if report["block"]["index"] >= (self.coordinator.round + 1) * len(self.plan.cells):
            raise ValueError("its block has not been ordered")
        check_report(report, self._cells)

    def take_notice(self, data: dict[str, Any]) -> None:
        """What a worker observed of the target, or warns of."""
        self._record.take(data)
        self._save_facts()

    def take_piece(self, worker: str, data: dict[str, Any]) -> None:
        """The next piece of one of a worker's files."""
        self._hand_over.heard(worker)
        if not self._takes_part(worker):
            return
        limits = FileLimits(len(self._options.class_policies), len(self._cells), self._options.max_samples)
        try:
            self._folder.add_piece(worker, data["file"], data["piece"], limits)
        except ValueError as error:
            self.worker_failed(worker, f"its samples can't be used: {error}")
        except OSError as error:
            self.worker_failed(worker, f"its samples can't be written here: {error.strerror or error}")
        self._channel.send_to_worker(messages.PIECE_RECEIVED, {"run": self.name}, worker)

    def misfit(self, kind: str, worker: str, wrong: str) -> None:
        """A message that is none of its kind: a warning, the first of each worker. The run goes on.

        Without a vital one it would wait for the worker, or silently lack its samples: that worker is left out.
        """
        if kind in messages.VITAL and self._takes_part(worker):
            self.worker_failed(worker, f"it sent a message that is none of its kind ({kind}: {wrong})")
        elif worker not in self._misfits:
            self._misfits.add(worker)
            self.note(WarningCode.WORKER_MESSAGE, bad_message(self._channel.worker_name(worker), kind, wrong))

    def worker_failed(self, worker: str, message: str) -> None:
        """A worker can't begin, or can't go on. A local run ends with what was written until then."""
        if self._channel.is_local:
            self.note(WarningCode.WORKER_FAILED, message)
            self.coordinator.stop()
            self.coordinator.stop_waiting_for(worker)
        else:
            self.note(WarningCode.WORKER_FAILED, f"{self._channel.worker_name(worker)}: {message}")
            self._failed.add(worker)
            self.coordinator.give_up(worker)

    def worker_done(self, worker: str, data: dict[str, Any]) -> None:
        """A worker has handed over all it had."""
        self.take_reports(worker, data["reports"])
        self._hand_over.done(worker)

    @property
    def goes_on(self) -> bool:
        """Some worker still makes load."""
        return not self._channel.is_local and any(one not in self.coordinator.lost for one in self._present())

    # The end

    def stop(self) -> None:
        """No further block; the present one is cut short."""
        self.coordinator.stop()

    def collect(self) -> None:
        """End the load, and wait until every worker has handed over its samples or is lost."""
        self.stop()
        if self._blocks is not None:
            self._blocks.join()
        away = self.coordinator.absences.now
        asked = {
            worker: away[worker].since_s if worker in away else None
            for worker in self._begun
            if worker not in self.coordinator.lost
        }
        for worker in asked:
            self._channel.send_to_worker(messages.END_RUN, {"run": self.name}, worker)
        self._hand_over.wait(asked, self.coordinator.give_up)
        self._leave_out_lost()

    def _note_absences(self) -> None:
        """One warning names all workers that went away in mid-block, but for those that are lost."""
        lost, name = self.coordinator.lost, self._channel.worker_name
        known = [one for one in self.coordinator.absences.all if one.worker not in lost]
        self._record.withdraw(WarningCode.WORKER_AWAY)
        for note in workers_away([(name(one.worker), one.first_round, one.back_in) for one in known]):
            self.note(*note)

    def _leave_out_lost(self) -> None:
        """Drop what lost workers had sent, and say so."""
        for worker, round_index in self.coordinator.lost.items():
            self.live.drop(worker)
            self._folder.drop_samples(worker)
            if worker not in self._failed:  # a failed one has said why itself
                name = self._channel.worker_name(worker)
                self.note(*worker_lost(name, len(self._begun), round_index + 1))
        self._note_absences()

    @property
    def has_samples(self) -> bool:
        return self._folder.has_samples

    def report(self, exports: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Summarise and draw what was collected; gives how that ended. exports: formats to write too."""
        coordinator = self.coordinator
        rounds, incomplete = coordinator.round + 1, sorted(coordinator.incomplete)
        self.plan = replace(self.plan, load=replace(self.plan.load, rounds=max(1, rounds)))
        self.facts["rounds_s"] = [round(seconds, 3) for seconds in coordinator.rounds_s]
        if incomplete:
            self.facts["incomplete_rounds"] = incomplete
        for note in no_whole_round(rounds, len(incomplete)):
            self.note(*note)
        self._save_facts()
        return self._folder.report(exports)

    # Inside

    def _present(self) -> list[str]:
        """Workers that are there and know of the run."""
        return [worker for worker in self._channel.workers() if worker in self._begun]

    def _takes_part(self, worker: str) -> bool:
        return worker in self._begun and worker not in self.coordinator.lost

    def _save_facts(self) -> None:
        self.facts["plan"] = self.plan.to_json(secrets=False)
        self._folder.save_facts(self.facts)
