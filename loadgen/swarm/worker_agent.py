"""The load-making side of one Locust process: runs the blocks that it is sent, reports them, hands its samples over.

A local runner has it beside the conductor, a worker by itself. Orders no block and knows no result.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

import loadgen.swarm.messages as messages
from loadgen.drive.schedule import Block
from loadgen.measure.data.recorder import part_directory
from loadgen.measure.data.worker_data import compact
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.swarm.class_runner import ClassRunner, ScenarioClassRunner, SwarmClassRunner
from loadgen.swarm.locust_stats import merge_figures
from loadgen.wire.route import Route

_CHUNK_BYTES = 1 << 20
# So long a silence of the master's while samples are handed over means that it is gone.
_PATIENCE_S = 30

logger = logging.getLogger(__name__)
Send = Callable[[str, dict[str, Any]], None]


class WorkerAgent:
    """send: to whoever orders the blocks. users: how many Locust users of each class run here now."""

    def __init__(self, environment: Environment, send: Send) -> None:
        self.users: Counter[str] = Counter()
        self.lanes: dict[str, ClassRunner] = {}
        self._environment = environment
        self._send = send
        self._run = ""
        self._plan: Plan
        self._directory = Path()
        self._own_directory = False
        self._most_samples = 0
        self._wants_reports = True
        self._round = -1
        self._counts: Counter[str] = Counter()
        self._reports: list[dict[str, Any]] = []
        self._block: gevent.Greenlet | None = None
        self._ending = self._is_broken = False
        self._asked = Event()
        self._catch_errors()

    def begin(self, order: dict[str, Any]) -> None:
        """Get ready for a run. What is wrong here is told to the master."""
        self.drop()
        self._run = order["run"]
        try:
            self._prepare(order)
        except (PlanError, OSError) as error:
            self._fail(order["run"], str(error))
            self._run = ""

    def _prepare(self, order: dict[str, Any]) -> None:
        plan = self._plan = Plan.from_json(order["plan"])
        self._own_directory = order["directory"] is None
        self._directory = Path(order["directory"] or tempfile.mkdtemp(prefix="loadgen-"))
        self._most_samples = order["most_samples"]
        self._wants_reports = order["reports"]
        self._round, self._ending, self._is_broken = -1, False, False
        self._reports.clear()
        _raise_descriptor_limit()
        route = Route.to(plan.target, plan.cacert, plan.insecure)
        watches = order["watches"]
        for number, (name, policies) in enumerate(order["lanes"].items()):
            directory = part_directory(self._directory, number)
            if name in order["scenarios"]:
                self.lanes[name] = ScenarioClassRunner(plan, route, directory, policies[0])
            else:
                self.lanes[name] = SwarmClassRunner(plan, route, directory, self._tell, watches and number == 0)

    def block(self, order: dict[str, Any]) -> None:
        """Run a block of each lane, then report them."""
        if order["run"] == self._run and not self._ending:
            self._block = gevent.spawn(self._run_block, order)

    def _run_block(self, order: dict[str, Any]) -> None:
        run, users = order["run"], self._users_of_round(order["round"])
        try:
            for name, lane, facts in self._facts(order, users):
                self._report(name, lane, facts)
        except OSError as error:
            self._fail(run, f"{error.strerror or error}: the run's samples can't be written any more")
        except Exception as error:  # whoever orders the blocks must not wait for ever
            logger.exception("loadgen: a block failed")
            self._fail(run, f"a block failed: {error!r}")
        else:
            self._send(messages.DONE, {"run": run, "round": order["round"], "turn": order["turn"]})

    def _users_of_round(self, number: int) -> Counter[str]:
        """The users of each lane: who comes or goes in mid-round would load one policy more than another."""
        if number != self._round:
            self._round, self._counts = number, Counter(self.users)
        return self._counts

    def _facts(
        self, order: dict[str, Any], users: Counter[str]
    ) -> list[tuple[str, ClassRunner, dict[str, Any] | None]]:
        """Run the lanes' blocks at the same time; raises what one of them raised."""
        cells = {cell.name: cell for cell in self._plan.cells}
        started = []
        for name, (index, policy) in order["blocks"].items():
            lane, block = self.lanes[name], Block(index, order["round"], cells[policy])
            started.append((name, lane, gevent.spawn(_outcome, lane, block, users[name])))
        gevent.joinall([running for _, _, running in started])
        found = []
        for name, lane, running in started:
            facts, error = running.get()
            if error is not None:
                raise error
            found.append((name, lane, facts))
        return found

    def _report(self, name: str, lane: ClassRunner, facts: dict[str, Any] | None) -> None:
        if facts is None:
            return
        report, figures = lane.digest(facts, self._wants_reports)
        if report is not None:
            self._reports.append({"lane": name, **report})
        if figures is not None:
            plan = self._plan
            merge_figures(self._environment.stats, plan.method, f"{plan.target.path} [{facts['policy']}]", figures)

    def take_reports(self) -> dict[str, Any]:
        """What was reported since this was asked last."""
        reports, self._reports = self._reports, []
        return {"run": self._run, "reports": reports}

    def end_block(self) -> None:
        """End the block under way now; no other one begins."""
        self._ending = True
        for lane in self.lanes.values():
            lane.end_block()

    def end(self, order: dict[str, Any]) -> None:
        """The run is over: send what was measured, unless it lies where the master wants it."""
        if order["run"] != self._run:
            return
        self.end_block()
        gevent.spawn(self._hand_over)

    def _hand_over(self) -> None:
        run = self._run
        if self._block is not None:
            self._block.join()
        lanes, self.lanes = self.lanes, {}
        parts = 0
        try:
            for lane in lanes.values():
                lane.close()
            if self._own_directory:
                for lane in lanes.values():
                    self._send_part(parts, self._compact(lane, len(lanes)))
                    parts += 1
        except Exception as error:  # the master must not wait for ever
            self._fail(run, f"samples are lost: {error}")
        finally:
            reports = self.take_reports()["reports"]
            self.drop()
            self._send(messages.ENDED, {"run": run, "parts": parts, "reports": reports})

    def _compact(self, lane: ClassRunner, lanes: int) -> Path:
        """A lane's part as one file. In a thread: millions of rows take seconds, and heartbeats are to go on."""
        policies = tuple(cell.name for cell in self._plan.cells)
        most = self._most_samples // lanes
        path: Path = gevent.get_hub().threadpool.apply(compact, (lane.directory, policies, most, os.getpid()))
        return path

    def _send_part(self, number: int, path: Path) -> None:
        """Send a part's file piece by piece, each when the one before has arrived."""
        with path.open("rb") as file:
            while True:
                piece = file.read(_CHUNK_BYTES)
                self._asked.clear()
                self._send(messages.PIECE, {"run": self._run, "part": number, "piece": piece})
                if not self._asked.wait(_PATIENCE_S):
                    raise OSError("the master does not take them")
                if not piece:
                    return

    def piece_taken(self) -> None:
        """The master has the last piece."""
        self._asked.set()

    # Inside

    def _catch_errors(self) -> None:
        """A full disk shows in a callback of the loop, where nobody would hear of it: end the blocks with that."""
        hub = gevent.get_hub()
        handle = hub.handle_error

        def handle_error(context: Any, kind: Any, error: Any, trace: Any) -> None:
            of_loop = not isinstance(context, gevent.Greenlet)
            if of_loop and self._is_broken and isinstance(error, OSError | ValueError):
                return  # connections that the broken block has left, and rows that go nowhere any more
            lanes = [lane for lane in self.lanes.values() if isinstance(lane, SwarmClassRunner)]
            if of_loop and lanes and isinstance(error, OSError):
                self._is_broken = True
                for lane in lanes:
                    lane.fail(error)
            else:
                handle(context, kind, error, trace)

        hub.handle_error = handle_error

    def _tell(self, event: dict[str, Any]) -> None:
        """What a lane observed of the target or warns of."""
        self._send(messages.NEWS, {"run": self._run, **{key: event[key] for key in event if key != "block"}})

    def _fail(self, run: str, message: str) -> None:
        if self._own_directory:  # else it is said here anyway
            logger.error("loadgen: %s", message)
        self._send(messages.FAILED, {"run": run, "message": message})

    def drop(self) -> None:
        """Close what a run has left, remove what lies in a directory of our own."""
        if self._block is not None and not self._block.ready():  # of a run that went on without this worker
            self.end_block()
            self._block.join(_PATIENCE_S)
        self._block = None
        for lane in self.lanes.values():
            lane.close()
        self.lanes = {}
        if self._own_directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._own_directory = False


def _outcome(lane: ClassRunner, block: Block, users: int) -> tuple[dict[str, Any] | None, Exception | None]:
    """Run a block; an error is a value, for a greenlet that raises one prints it."""
    try:
        return lane.run(block, users), None
    except Exception as error:
        return None, error


def _raise_descriptor_limit() -> None:
    """As far as the system lets us: how many users come is known to Locust alone."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
