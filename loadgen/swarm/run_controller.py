"""The coordinating side of a Locust process: starts a run when Locust starts a test, and completes it at its end.

Called by Locust's events and by the workers' messages; imports no Locust.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import gevent

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.probe.audit_plan import EMBEDDED_IDLE_MAX_NS, AuditPlan
from loadgen.show.export.requested import check_exports, writes_to_stdout
from loadgen.swarm.concurrent_calls import join_before_exit
from loadgen.swarm.coordinator import POLL_S, patience_s
from loadgen.swarm.live_view import FINISHING, RUNNING, LiveView
from loadgen.swarm.locust_states import LOADING
from loadgen.swarm.messaging import EXIT_PLAN, MessageChannel
from loadgen.swarm.option_texts import lines
from loadgen.swarm.run import LocustRun, RunOptions
from loadgen.swarm.run_folder import RunFolder
from loadgen.swarm.run_notes import ramp_seconds
from loadgen.swarm.start_form import StartForm, check_options_used, checked_plan
from loadgen.swarm.target_audit import TargetAudit
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import ClassPolicies, UserKind, kind_of, policies_of
from loadgen.swarm.worker_agent import WorkerAgent
from loadgen.swarm.worker_messages import WorkerMessages

EXIT_GATE = 1
"""The exit code of a run with a gate that failed, as that of `loadgen report`."""
_GATE_FAILED = "loadgen: gate failed: "
EXIT_CUT_SHORT = 130
"""The exit code of a run that broke off, as that of `loadgen compare`."""
_USERS_POLL_S = 0.01

logger = logging.getLogger(__name__)


class RunController:
    """One run after another, as Locust's tests come."""

    def __init__(self, environment: Any, runner: Any, channel: MessageChannel, agent: WorkerAgent | None) -> None:
        self.run: LocustRun | None = None
        """The present run, or the last one."""
        self.live_view = LiveView()
        self.target_host = TargetHost(environment)
        self.target_audit = TargetAudit(self._audit_plan, lambda: self.live_view.is_active or self._is_loading)
        self.start_form = StartForm(environment, self.target_host, self.live_view, lambda: self.target_audit.is_running)
        self._environment = environment
        self._runner = runner
        self._channel = channel
        self._agent = agent
        """The load-making side in this process; None on a master."""
        self._finishing: gevent.Greenlet | None = None
        """Completes the folder of the last run."""
        self._exit_code: int | None = None
        """Locust's exit code, where we have set it."""
        self._report_text = ""
        """What `loadgen report` printed of the last run."""
        self._messages = WorkerMessages(channel, self, agent)

    # Locust's events

    def check(self) -> None:
        """Locust has started: start the embedded target if it is needed. Raises PlanError for what can't be run.

        With a web UI the start form may still put it right.
        """
        if not self._has_users():
            return
        options = self._options
        exports = {"export": lines(options.export), "json": options.json}
        check_exports(exports)
        if writes_to_stdout(exports):
            raise PlanError("--export: Locust's own output is on standard output; give a path")
        host = self.target_host.url(options)
        if self._has_web_ui and not options.autostart:
            return
        plan, _ = self._plan(self.target_host.trusted(options, host), host)
        if options.probe:
            self.target_audit.before_load(plan)

    def begin(self) -> None:
        """Locust begins a test."""
        self.run = None
        if not self._has_users():
            return
        self._set_exit_code(None)
        try:
            run = self.run = self._new_run()
        except PlanError as error:
            self._give_up(str(error))
            self._end_test()
            return
        self.live_view.show(run)
        run.begin()

    def users_spawned(self, number: int) -> None:
        """Locust has started all users."""
        if self.run is None or self.live_view.state != RUNNING:
            return
        self.live_view.users = number
        dispatched = self._channel.dispatched_users()
        expected = self._our_users(dispatched)
        self.run.set_users(expected)
        self.run.note_others(dispatched)
        if expected:
            gevent.spawn(self._start_blocks, self.run)

    def worker_reported(self, worker: str, data: dict[str, Any]) -> None:
        """Locust's own report of a worker has come, with block reports in it."""
        self._messages.take_report(worker, data)

    def stopping(self) -> None:
        """Locust is about to end the test."""
        if self.run is not None and self.live_view.state == RUNNING:
            self.run.stop()

    def finish(self) -> None:
        """Locust has ended the test: complete the run's folder; returns when that is done.

        Whatever ends the caller meanwhile does not end this: a user who calls `runner.quit()` is killed by that.
        """
        if self.run is not None and self.live_view.state == RUNNING:
            self.live_view.state = FINISHING
            self._finishing = gevent.spawn(self._complete, self.run)
        if self._finishing is not None:
            join_before_exit(self._finishing)

    def _complete(self, run: LocustRun) -> None:
        run.collect()
        if "embedded_target" in run.facts["environment"]:
            run.facts["environment"]["embedded_target"] = self.target_host.account(run.plan)
        if not run.has_samples:
            self._give_up("all workers were lost, and what they had measured with them", EXIT_CUT_SHORT)
            return
        done = run.report(lines(self._options.export))
        self._report_text = done.stdout
        self.live_view.finish()
        failed = [line for line in done.stderr.splitlines() if line.startswith(_GATE_FAILED)]
        if failed and done.returncode == EXIT_GATE:  # which is Python's own code too, after a traceback
            self._fail_gates(failed)
        elif done.returncode:
            self._give_up((done.stderr.strip().splitlines() or ["the report could not be made"])[-1], done.returncode)
        else:
            logger.info("loadgen: the run is in %s", run.directory)

    def _fail_gates(self, lines: list[str]) -> None:
        """The run is whole, and gates failed: say which, and have Locust end with their code."""
        for line in lines:
            logger.error("%s", line)
        self._set_exit_code(EXIT_GATE)

    def close(self) -> None:
        """Locust ends: print the comparison where no web UI shows it, and leave nothing behind."""
        if self._report_text and not self._has_web_ui:
            # With --json Locust's statistics stand alone on standard output.
            print(self._report_text, file=sys.stderr if self._options.json else sys.stdout, end="")
        self.live_view.close()
        self.target_host.stop()

    # A new run

    def _new_run(self) -> LocustRun:
        """Raises PlanError."""
        options = self._options
        host = self.target_host.url(options)
        plan, class_policies = self._plan(self.target_host.trusted(options, host), host)
        check_options_used(plan, self._environment.user_classes)
        plan = self.target_host.monitored(plan)
        run_s = self.start_form.run_seconds(options)
        until_s = time.monotonic() + run_s if run_s else 0.0
        if options.probe and self._has_web_ui and not options.autostart:
            self.target_audit.before_load(plan)
            run_s = max(until_s - time.monotonic(), 0.1) if run_s else 0.0
        folder = RunFolder.create(Path(options.results), options.run_name or f"{datetime.now():%Y%m%d-%H%M%S}")
        classes = self._environment.user_classes
        run = LocustRun(
            plan,
            RunOptions(
                class_policies=class_policies,
                scenarios=tuple(one.__name__ for one in classes if kind_of(one) is UserKind.SCENARIO),
                is_watched=self._has_web_ui,
                max_samples=plan.max_samples,
                until_s=until_s,
            ),
            folder,
            self._channel,
        )
        if audit := self.target_audit.of_run(plan):
            run.facts["environment"]["audit"] = audit
        run.note_expected(ramp_seconds(self._runner.target_user_count, options.spawn_rate), run_s)
        if self.target_host.is_embedded(host):
            run.facts["environment"]["embedded_target"] = None  # its account comes at the end
        return run

    def _plan(self, options: Any, host: str | None) -> tuple[Plan, ClassPolicies]:
        """The plan that the options mean. Raises PlanError."""
        class_policies = policies_of(self._environment.user_classes, options.policies)
        if not class_policies:
            raise PlanError("no user class of loadgen's takes part; make one from SwarmUser or ReuseUser")
        return checked_plan(options, host, class_policies, self._runner.target_user_count), class_policies

    def _audit_plan(self, given: str) -> AuditPlan:
        """What an audit of this host looks at; without one it is the host of the runs. Raises PlanError."""
        options = self._options
        host = given or self.target_host.url(options)
        plan, _ = self._plan(self.target_host.trusted(options, host), host)
        audit_plan = AuditPlan.of(plan)
        if self.target_host.is_embedded(host):
            audit_plan = replace(audit_plan, idle_max_ns=EMBEDDED_IDLE_MAX_NS)
        return audit_plan

    # Inside

    def end_if_alone(self, run: LocustRun) -> None:
        """End a test in which no worker makes load any more."""
        if not run.goes_on:
            self._set_exit_code(EXIT_CUT_SHORT)
            self._end_test()

    def _start_blocks(self, run: LocustRun) -> None:
        """Begin to order blocks once the workers have said that all users are there.

        Locust's own patience for that is a second or less: on a busy machine workers would run their first round
        without the users that it counts as spawned.
        """
        begun_s = time.monotonic()
        end_s = begun_s + patience_s(begun_s, run.until_s)
        while not self._has_all_users and self.live_view.state == RUNNING and time.monotonic() < end_s:
            gevent.sleep(_USERS_POLL_S)
        if run is self.run and self.live_view.state == RUNNING:
            run.start_blocks(self._between_blocks)

    def _between_blocks(self) -> None:
        """No request is under way: refresh what people look at. While there are no users no next block begins."""
        try:
            self.live_view.refresh()
        except Exception:  # the run goes on, whatever is wrong with its view
            logger.exception("loadgen: the live figures can't be computed")
        while self.live_view.state == RUNNING and not (self.live_view.users and self._runner.target_user_count):
            gevent.sleep(POLL_S)

    def _give_up(self, message: str, code: int = EXIT_PLAN) -> None:
        message = message.removeprefix("loadgen: ")
        self.live_view.fail(message)
        logger.error("loadgen: %s", message)
        self._set_exit_code(code)

    def _set_exit_code(self, code: int | None) -> None:
        """How Locust ends, as the last run did; None leaves that to Locust, and to what others have set."""
        if self._environment.process_exit_code == self._exit_code:
            self._environment.process_exit_code = self._exit_code = code

    def _end_test(self) -> None:
        """End Locust's test, and Locust itself where no web UI is to stay."""
        gevent.spawn(self._runner.stop if self._has_web_ui else self._runner.quit)

    def _has_users(self) -> bool:
        """Some user class runs on the engine."""
        return any(map(kind_of, self._environment.user_classes))

    @property
    def _has_all_users(self) -> bool:
        """All of the run's users have begun where they are to run.

        In this process they have by the time that Locust says so.
        """
        if self._channel.is_local:
            return True
        expected = self._our_users(self._channel.dispatched_users())
        return self._our_users(self._runner.reported_user_classes_count) >= expected

    def _our_users(self, counts: Mapping[str, int]) -> int:
        """The users of the classes that take part in the run."""
        return sum(counts.get(one.__name__, 0) for one in self._environment.user_classes if kind_of(one))

    @property
    def is_under_way(self) -> bool:
        """The run makes load, or collects its samples."""
        return self.live_view.is_active

    @property
    def takes_workers(self) -> bool:
        """The run makes load, so that another worker can take part."""
        return self.live_view.state == RUNNING

    @property
    def _is_loading(self) -> bool:
        return self._runner.state in LOADING

    @property
    def _has_web_ui(self) -> bool:
        return self._environment.web_ui is not None

    @property
    def _options(self) -> Any:
        """Locust's command line, as its start form may have changed it."""
        return self._environment.parsed_options
