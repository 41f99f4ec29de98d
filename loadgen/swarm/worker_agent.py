"""The load-making side of a Locust process: runs the blocks it is ordered to, reports them, hands its samples over.

A local runner has it beside the coordinating side, a worker has it alone. Orders no block and knows no result.
"""

from __future__ import annotations

import logging
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event

import loadgen.swarm.messages as messages
from loadgen.drive.schedule import Block
from loadgen.measure.data.recorder import worker_folder
from loadgen.measure.data.worker_data import compact
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.records import ABSENT
from loadgen.model.redaction import redact_url
from loadgen.model.units import NS_PER_S
from loadgen.swarm.block_start import BlockStart, ClockFacts
from loadgen.swarm.class_runner import BlockValues, ClassRunner, ScenarioClassRunner, SwarmClassRunner
from loadgen.swarm.concurrent_calls import call_together
from loadgen.swarm.machine_clock import clock_id
from loadgen.swarm.sample_sender import MAX_SILENCE_S, SampleSender, SendToCoordinator
from loadgen.wire.route import Route

logger = logging.getLogger(__name__)
_USERS_POLL_S = 0.01
_JOINING_S = 30.0
MergeFigures = Callable[[str, str, Mapping[str, Any]], None]


class WorkerAgent:
    """One run after another, as the coordinating process orders them."""

    def __init__(self, send: SendToCoordinator, merge_figures: MergeFigures) -> None:
        self.users: Counter[str] = Counter()
        """Locust users of each class in this process that make load, or would if a block ran."""
        self.spawned: Counter[str] = Counter()
        """Those that Locust has started, and that have not ended; a SwarmUser's `on_start` comes before its load."""
        self.class_runners: dict[str, ClassRunner] = {}
        self._send = send
        self._merge_figures = merge_figures
        """Adds a block's requests (method, name, figures) to Locust's statistics."""
        self._run = ""
        self._is_begun = Event()
        """A run has begun, or failed to, and is not over."""
        self._plan: Plan
        self._directory = Path()
        self._is_own_directory = False
        """The samples are in a temporary folder, to be sent at the end."""
        self._max_samples = 0
        self._wants_reports = True
        self._round = -1
        self._round_users: Counter[str] = Counter()
        self._reports: list[dict[str, Any]] = []
        self._block: gevent.Greenlet | None = None
        self._start = BlockStart((), waits=False, on_ready=lambda: None)
        """That of the present block."""
        self._ready_for: tuple[str, int, int] | None = None
        self._clock_id = clock_id()
        self._is_ending = self._is_broken = False
        self._sender = SampleSender(send)
        self._catch_loop_errors()

    # Orders

    def begin_run(self, order: dict[str, Any]) -> None:
        """Get ready for a run. Says what is wrong here by a message."""
        self.close_run()
        self._run = order["run"]
        try:
            self._prepare(order)
        except (PlanError, OSError) as error:
            self._fail(order["run"], str(error))
            self._run = ""
        self._is_begun.set()

    def await_run(self) -> None:
        """Wait a while until a run has begun here, or could not.

        Locust gives a worker that joins a test its users before the coordinating process knows of it.
        """
        self._is_begun.wait(_JOINING_S)

    def run_block(self, order: dict[str, Any]) -> None:
        """Run a block of each user class, then report them."""
        if order["run"] != self._run:
            return
        if self._is_ending:  # here alone, as a task of a user has called `runner.quit()`: the others must not wait
            self._send_done(order, {"late_ns": 0, "waited_ns": 0, "users": {}, "has_run": False})
        else:
            self._block = gevent.spawn(self._run_block, order, self._block)

    def start_block(self, order: dict[str, Any]) -> None:
        """Begin the block that is ready, at the time that the order says."""
        if _block_of(order) == self._ready_for:
            clock = order["clock"]
            known: ClockFacts = {}
            if clock is not None:
                known = {"clock_offset_ns": clock["offset_ns"], "clock_error_ns": clock["error_ns"]}
            self._start.start_at(order["start_ns"], known)

    def tell_time(self, question: dict[str, Any]) -> None:
        """Answer with the time of this process's clock."""
        answer = {"asked_ns": question["asked_ns"], "clock_ns": time.monotonic_ns(), "clock_id": self._clock_id}
        self._send(messages.CLOCK_ANSWER, answer)

    def cut_block(self) -> None:
        """End the present block; no other one begins."""
        self._is_ending = True
        self._cut_present()

    def _cut_present(self) -> None:
        self._start.cut()
        for runner in self.class_runners.values():
            runner.cut_block()

    def end_run(self, order: dict[str, Any]) -> None:
        """The run is over: send the samples, unless they are where the coordinating process wants them."""
        if order["run"] == self._run:
            self.cut_block()
            gevent.spawn(self._hand_over)

    def piece_received(self) -> None:
        """The coordinating process has the last piece of samples."""
        self._sender.piece_received()

    def take_reports(self) -> dict[str, Any]:
        """The block reports since the last call."""
        reports, self._reports = self._reports, []
        return {"run": self._run, "reports": reports}

    def close_run(self) -> None:
        """Close what a run has left, and remove its temporary folder."""
        if self._block is not None and not self._block.ready():  # of a run that went on without this worker
            self.cut_block()
            self._block.join(MAX_SILENCE_S)
        self._block = None
        self._is_begun.clear()
        for runner in self.class_runners.values():
            runner.close()
        self.class_runners = {}
        if self._is_own_directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._is_own_directory = False

    # The begin of a run

    def _prepare(self, order: dict[str, Any]) -> None:
        """Raises PlanError and OSError."""
        plan = self._plan = Plan.from_json(order["plan"]).of_target(None)
        self._is_own_directory = order["directory"] is None
        self._directory = Path(order["directory"] or tempfile.mkdtemp(prefix="loadgen-"))
        self._max_samples = order["max_samples"]
        self._wants_reports = order["wants_reports"]
        self._round, self._is_ending, self._is_broken = -1, False, False
        self._reports.clear()
        _raise_descriptor_limit()
        for number, (name, policies) in enumerate(order["class_policies"].items()):
            directory = worker_folder(self._directory, number)
            route = Route.of(plan)  # of its own: policies differ in tunnels and socket options
            if name in order["scenarios"]:
                self.class_runners[name] = ScenarioClassRunner(plan, route, directory, policies[0])
            else:
                monitors = order["monitors"] and number == 0
                self.class_runners[name] = SwarmClassRunner(plan, route, directory, self._send_notice, monitors)

    # A block

    def _run_block(self, order: dict[str, Any], before: gevent.Greenlet | None) -> None:
        if before is not None and not before.ready():  # the others went on while this process stood still
            self._cut_present()
            before.join()
        waited_ns = self._await_users(order["blocks"], order["users_wait_s"])
        run, users = order["run"], self._users_of_round(order)
        ready = {"run": run, "round": order["round"], "turn": order["turn"]}
        self._ready_for = _block_of(order)
        self._start = BlockStart(
            order["blocks"], order["waits"], on_ready=lambda: self._send(messages.BLOCK_READY, ready)
        )
        if self._is_ending:
            self._start.cut()
        try:
            found = self._run_classes(order, users)
            for name, facts in found.items():
                self._report(name, facts)
        except OSError as error:
            self._fail(run, f"{error.strerror or error}: the run's samples can't be written any more")
        except Exception as error:  # the coordinating process must not wait for ever
            logger.exception("loadgen: a block failed")
            self._fail(run, f"a block failed: {error!r}")
        else:
            has_run = any(facts is not None for facts in found.values())
            done = {"late_ns": self._start.late_ns, "waited_ns": waited_ns, "users": users, "has_run": has_run}
            self._send_done(order, done)

    def _send_done(self, order: dict[str, Any], done: dict[str, Any]) -> None:
        block = {"run": order["run"], "round": order["round"], "turn": order["turn"]}
        self._send(messages.BLOCK_DONE, {**block, **done})

    def _await_users(self, classes: Collection[str], patience_s: float) -> int:
        """Users that Locust has started may still be in their `on_start`: the block would lack them.

        Gives how long that took (ns).
        """
        begun_ns = time.monotonic_ns()
        end_s = begun_ns / NS_PER_S + patience_s
        while any(self.users[name] < self.spawned[name] for name in classes):
            if self._is_ending or time.monotonic() >= end_s:
                break
            gevent.sleep(_USERS_POLL_S)
        return time.monotonic_ns() - begun_ns

    def _users_of_round(self, order: dict[str, Any]) -> dict[str, int]:
        """Users of each class. One that starts or stops mid-round would load some policies more than others.

        A scenario's users send requests as soon as they are there, so that they are counted anew for each block.
        """
        if order["begins_round"] or order["round"] != self._round:
            self._round, self._round_users = order["round"], Counter(self.users)
        return {
            name: (self.users if isinstance(self.class_runners[name], ScenarioClassRunner) else self._round_users)[name]
            for name in order["blocks"]
        }

    def _run_classes(self, order: dict[str, Any], users: Mapping[str, int]) -> dict[str, BlockValues | None]:
        """Run the blocks of all user classes at the same time; raises what one of them raised."""
        cells = {cell.name: cell for cell in self._plan.cells}
        calls = [
            partial(self._run_class, name, Block(index, order["round"], cells[policy]), users[name])
            for name, (index, policy) in order["blocks"].items()
        ]
        return dict(zip(order["blocks"], call_together(calls), strict=True))

    def _run_class(self, name: str, block: Block, users: int) -> BlockValues | None:
        start = self._start
        try:
            return self.class_runners[name].run(block, users, partial(self._begin, name, start))
        finally:
            start.ready(name)  # if it never began

    def _begin(self, name: str, start: BlockStart) -> ClockFacts:
        """A class runner is ready: let it begin with the others."""
        start.wait(name)
        if start.is_cut:
            self.class_runners[name].cut_block()
        return start.clock

    def _report(self, name: str, facts: BlockValues | None) -> None:
        if facts is None:
            return
        report, figures = self.class_runners[name].block_reports(facts, self._wants_reports)
        if report is not None:
            self._reports.append({"user_class": name, **report})
        for place, found in figures.items():
            method, request = self._entry_of(place)
            self._merge_figures(method, f"{request} [{facts['policy']}]", found)

    def _entry_of(self, place: int) -> tuple[str, str]:
        """Method and name of the request at this place in the plan, ABSENT for that of a run with one."""
        if place == ABSENT:
            return self._plan.method, redact_url(self._plan.target.path)
        request = self._plan.requests[place]
        return request.method or self._plan.method, request.name

    # The end of a run

    def _hand_over(self) -> None:
        run = self._run
        if self._block is not None:
            self._block.join()
        runners, self.class_runners = list(self.class_runners.values()), {}
        files = 0
        try:
            for runner in runners:
                runner.close()
            if self._is_own_directory:
                for runner in runners:
                    path = self._compact(runner, self._max_samples // len(runners))
                    self._sender.send_file(run, files, path)
                    files += 1
        except Exception as error:  # the coordinating process must not wait for ever
            self._fail(run, f"samples are lost: {error}")
        finally:
            reports = self.take_reports()["reports"]
            self.close_run()
            self._send(messages.WORKER_DONE, {"run": run, "files": files, "reports": reports})

    def _compact(self, runner: ClassRunner, max_samples: int) -> Path:
        """The samples as one file. In a thread: millions of rows take seconds, and heartbeats must go on."""
        policies = tuple(cell.name for cell in self._plan.cells)
        path: Path = gevent.get_hub().threadpool.apply(compact, (runner.directory, policies, max_samples))
        return path

    # Inside

    def _catch_loop_errors(self) -> None:
        """A full disk shows in a callback of the loop, where no caller would see it: end the blocks with that."""
        hub = gevent.get_hub()
        handle = hub.handle_error

        def handle_error(context: Any, kind: Any, error: Any, trace: Any) -> None:
            is_of_loop = not isinstance(context, gevent.Greenlet)
            if is_of_loop and self._is_broken and isinstance(error, OSError | ValueError):
                return  # connections that the broken block has left, and rows that can't be written any more
            runners = [one for one in self.class_runners.values() if isinstance(one, SwarmClassRunner)]
            if is_of_loop and runners and isinstance(error, OSError):
                self._is_broken = True
                for runner in runners:
                    runner.fail(error)
            else:
                handle(context, kind, error, trace)

        hub.handle_error = handle_error

    def _send_notice(self, event: dict[str, Any]) -> None:
        """What a class runner observed of the target, or warns of."""
        self._send(messages.NOTICE, {"run": self._run, **{key: event[key] for key in event if key != "block"}})

    def _fail(self, run: str, message: str) -> None:
        if self._is_own_directory:  # a local runner's coordinating side says it in this process
            logger.error("loadgen: %s", message)
        self._send(messages.WORKER_FAILED, {"run": run, "message": message})


def _block_of(order: dict[str, Any]) -> tuple[str, int, int]:
    return order["run"], order["round"], order["turn"]


def _raise_descriptor_limit() -> None:
    """To the hard limit: only Locust knows how many users will come."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
