"""Ties a Locust process to the engine: Locust's events and messages in, a run's life out."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import gevent
from locust import User
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, Runner, WorkerRunner
from werkzeug.datastructures import MultiDict

import loadgen.swarm.messages as messages
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.swarm.class_runner import ScenarioClassRunner
from loadgen.swarm.live_view import FINISHING, RUNNING, LiveView
from loadgen.swarm.messaging import EXIT_PLAN, MessageChannel
from loadgen.swarm.options import COMMAND_LINE_ONLY, plan_of, with_form
from loadgen.swarm.run import Run, WorkerGroup, new_folder
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import ClassPolicies, UserKind, kind_of, policies_of
from loadgen.swarm.worker_agent import WorkerAgent
from loadgen.wire.route import Route

_LOOK_EVERY_S = 0.2
# As that of `loadgen compare`.
_EXIT_CUT_SHORT = 130

logger = logging.getLogger(__name__)


class LoadgenPlugin:
    """What every Locust process of ours has. It lies at `environment.loadgen`.

    node: the load-making side, None on a master. run: the present or last one, None on a worker.
    """

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self.environment = environment
        self.runner = runner
        self.run: Run | None = None
        self.desk = LiveView()
        self.host = TargetHost(environment)
        self.orders = not isinstance(runner, WorkerRunner)
        self._post = MessageChannel(runner, self._welcome)
        self.node = None if isinstance(runner, MasterRunner) else WorkerAgent(environment, self._post.to_master)
        self._form_run_time: str | None = None
        self._shown = ""
        self._interruptions = 0
        self._register()
        gevent.signal_handler(signal.SIGINT, self._interrupted)

    # What users ask for

    def joined(self, user_class: str) -> None:
        """A SwarmUser began."""
        assert self.node is not None
        self.node.users[user_class] += 1

    def left(self, user_class: str) -> None:
        """A SwarmUser ended."""
        assert self.node is not None
        self.node.users[user_class] -= 1

    def scenario_lane(self, user_class: type[User]) -> ScenarioClassRunner:
        """Where the requests of a ReuseUser class are made. Raises RuntimeError where no run has begun."""
        lane = self.node.lanes.get(user_class.__name__) if self.node is not None else None
        if not isinstance(lane, ScenarioClassRunner):
            raise RuntimeError(f"{user_class.__name__} can't run: the connections of this run could not be set up")
        return lane

    # A run's life, on the side that orders

    def check(self) -> None:
        """Locust has started: start the embedded target if need be. Raises PlanError for what can't be run.

        In the web UI's form it may still be put right.
        """
        options = _options(self.environment)
        if not any(map(kind_of, self.environment.user_classes)):
            return
        host = self.host.ready(options)
        if self.environment.web_ui is None:
            self.plan(self.host.trusted(options), host)

    def plan(self, options: Any, host: str | None) -> tuple[Plan, ClassPolicies]:
        """The plan that the options mean. Raises PlanError."""
        lanes = policies_of(self.environment.user_classes, options.policies)
        if not lanes:
            raise PlanError("no user class of loadgen's takes part; make one from SwarmUser or ReuseUser")
        return _planned(options, host, lanes, self.runner.target_user_count), lanes

    def begin(self) -> None:
        """Locust begins a test."""
        options, classes = _options(self.environment), self.environment.user_classes
        if not any(map(kind_of, classes)):
            self.run = None
            return
        try:
            host = self.host.ready(options)
            plan, lanes = self.plan(self.host.trusted(options), host)
            plan = self.host.watched(plan)
            name = options.run_name or f"{datetime.now():%Y%m%d-%H%M%S}"
            store = new_folder(Path(options.results), name)
        except PlanError as error:
            self.run = None
            self._give_up(str(error))
            self._end_test()
            return
        scenarios = [one.__name__ for one in classes if kind_of(one) is UserKind.SCENARIO]
        crew = WorkerGroup(
            self._post.members, self._post.to_worker, self._post.name, isinstance(self.runner, LocalRunner)
        )
        run_s = self._run_s(options)
        until_s = time.monotonic() + run_s if run_s else 0.0
        self.run = Run(plan, lanes, scenarios, store, crew, self.environment.web_ui is not None, until_s)
        # The first users come at once, the others so many a second.
        self.run.foresee(max(0.0, self.runner.target_user_count / (options.spawn_rate or 1) - 1), run_s)
        if plan.server_pid is not None:
            self.run.facts["environment"]["embedded_target"] = None  # its account comes at the end
        self.desk.show(self.run)
        self.run.begin(options.max_samples)

    def spawned(self, user_count: int) -> None:
        """All users are there."""
        if self.run is None or self.desk.state != RUNNING:
            return
        self.desk.users = user_count
        self.run.users(user_count)
        if user_count:
            self.run.conduct(self._between)

    def _between(self) -> None:
        """Nobody sends anything now: bring up to date what is looked at. Without users there is no next block."""
        try:
            self.desk.refresh()
        except Exception:  # whatever is wrong with what is shown, the run goes on
            logger.exception("loadgen: the live figures can't be computed")
        while self.desk.state == RUNNING and not (self.desk.users and self.runner.target_user_count):
            gevent.sleep(_LOOK_EVERY_S)

    def stopping(self) -> None:
        """Locust is about to end the test."""
        if self.run is not None and self.desk.state == RUNNING:
            self.run.stop()
        if self.node is not None:
            self.node.end_block()

    def finish(self) -> None:
        """Locust has ended the test: leave the run's folder complete."""
        run = self.run
        if run is None or self.desk.state != RUNNING:
            return
        self.desk.state = FINISHING
        run.collect()
        if "embedded_target" in run.facts["environment"]:
            run.facts["environment"]["embedded_target"] = self.host.account(run.plan)
        if not run.has_samples:
            self._give_up("all workers were lost, and what they had measured with them", _EXIT_CUT_SHORT)
            return
        done = run.report()
        self._shown = done.stdout
        self.desk.finished()
        if done.returncode:
            self._give_up((done.stderr.strip().splitlines() or ["the report could not be made"])[-1], done.returncode)
        else:
            logger.info("loadgen: the run is in %s", run.directory)

    def close(self) -> None:
        """Locust ends: print the comparison where no web UI shows it, leave nothing behind."""
        self._say()
        self.desk.close()
        self.host.stop()
        if self.node is not None:
            self.node.drop()

    def _say(self) -> None:
        options = _options(self.environment)
        if self._shown and self.environment.web_ui is None:
            # With --json Locust's statistics stand on standard output, alone.
            print(self._shown, file=sys.stderr if options.json else sys.stdout, end="")

    def _give_up(self, message: str, code: int = EXIT_PLAN) -> None:
        message = message.removeprefix("loadgen: ")
        self.desk.refuse(message)
        logger.error("loadgen: %s", message)
        if self.environment.web_ui is None:
            self.environment.process_exit_code = code

    def _end_test(self) -> None:
        """Let Locust end its test, and itself where no web UI is to stay."""
        gevent.spawn(self.runner.stop if self.environment.web_ui is not None else self.runner.quit)

    def _run_s(self, options: Any) -> float:
        """How long Locust will let the run be; 0 where nobody said."""
        # What an earlier form said stays among Locust's options, but only what the last one said counts.
        return 0.0 if self._form_run_time == "" else float(options.run_time or 0)

    # What the web UI shows and asks; see loadgen.swarm.web.View

    def live(self) -> dict[str, Any]:
        return self.desk.live()

    def charts(self) -> tuple[Path | None, list[str]]:
        return self.desk.charts()

    def file(self, name: str) -> Path | None:
        return self.desk.file(name)

    def refuse(self, form: Mapping[str, str]) -> str | None:
        """Why a start form can't start a run, in one line; None if it can."""
        if self.desk.state in (RUNNING, FINISHING):
            return "the results of the last run are still being written; start again when they are there"
        hidden = [name for name in form if name in COMMAND_LINE_ONLY]
        if hidden:
            return f"--{hidden[0].replace('_', '-')} is set on the command line, not here"
        options = with_form(_options(self.environment), form)
        host = form.get("host", "") or self.environment.host
        known: dict[str, Any] = self.environment.available_user_classes or {}
        wanted = form.getlist("user_classes") if isinstance(form, MultiDict) else []
        classes = [known[name] for name in wanted if name in known] or self.environment.user_classes
        self._form_run_time = form.get("run_time", "")
        if not any(map(kind_of, classes)):
            return None
        try:
            # What is embedded comes with its authority, whatever the scheme that the form asks for.
            _planned(self.host.trusted(options), host or "http://127.0.0.1", policies_of(classes, options.policies), 1)
        except PlanError as error:
            return str(error)
        return None

    def _interrupted(self) -> None:
        """Ctrl-C. Python's own way would raise in the middle of whatever the loop is at, and lose that exchange.

        Of the processes of one command the master hears it too, and ends the others once it has their samples.
        """
        options = _options(self.environment)
        self._interruptions += 1
        if self.orders or not options.processes or self._interruptions > 1:
            gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())

    # Messages

    def _register(self) -> None:
        listen = self._post.listen
        if self.orders:
            listen(messages.NEWS, self._of_run(lambda run, _worker, data: run.news(data)))
            listen(messages.DONE, self._of_run(self._on_done))
            listen(messages.PIECE, self._of_run(lambda run, worker, data: run.piece(worker, data)))
            listen(messages.ENDED, self._of_run(lambda run, worker, data: run.ended(worker, data)))
            listen(messages.FAILED, self._of_run(self._on_failed))
        if self.node is not None:
            node = self.node
            listen(messages.BEGIN, lambda _worker, data: node.begin(data))
            listen(messages.BLOCK, lambda _worker, data: node.block(data))
            listen(messages.STOP, lambda _worker, _data: node.end_block())
            listen(messages.END, lambda _worker, data: gevent.spawn(self._end, data))
            listen(messages.PIECE_TAKEN, lambda _worker, _data: node.piece_taken())

    def _of_run(self, handle: Callable[[Run, str, dict[str, Any]], None]) -> Callable[[str, dict[str, Any]], None]:
        """Only what speaks of the present run."""

        def take(worker: str, data: dict[str, Any]) -> None:
            if self.run is not None and self.run.name == data["run"]:
                handle(self.run, worker, data)

        return take

    def report(self, data: dict[str, Any]) -> None:
        """Locust is about to report to its master."""
        if self.node is not None:
            data[messages.REPORTS] = self.node.take_reports()

    def reported(self, worker: str, data: dict[str, Any]) -> None:
        """Locust's own report of a worker has come."""
        if messages.REPORTS in data:
            self._of_run(lambda run, worker, data: run.take(worker, data["reports"]))(worker, data[messages.REPORTS])

    def _welcome(self, worker: str) -> None:
        if self.run is not None and self.desk.state == RUNNING:
            self.run.welcome(worker)

    def _on_done(self, run: Run, worker: str, data: dict[str, Any]) -> None:
        if self.node is not None:
            run.take(worker, self.node.take_reports()["reports"])
        run.conductor.done(worker, data["round"], data["turn"])

    def _on_failed(self, run: Run, worker: str, data: dict[str, Any]) -> None:
        run.failed(worker, data["message"])
        if not run.goes_on:
            self.environment.process_exit_code = _EXIT_CUT_SHORT
            self._end_test()

    def _end(self, data: dict[str, Any]) -> None:
        """The master has ended the test. It may be about to quit: then it has not told the users of this worker yet."""
        assert self.node is not None
        if not self.orders:
            self.runner.stop()
        self.node.end(data)


def _planned(options: Any, host: str | None, lanes: ClassPolicies, users: int) -> Plan:
    plan = plan_of(options, host, lanes, users)
    Route.to(plan.target, plan.cacert, plan.insecure)  # a file that holds no authorities is told before a run begins
    return plan


def _options(environment: Environment) -> Any:
    """Locust's command line, as its start form may have changed it."""
    return environment.parsed_options
