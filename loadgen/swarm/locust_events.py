"""Connects loadgen with Locust's events, as soon as it is imported. Decides nothing.

The events of Locust that come before a command line is read are connected here, the others once Locust is set up.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadgen.model.exceptions import PlanError
from loadgen.swarm.locust_patches import install as keep_digits
from loadgen.swarm.locust_stats import merge_figures
from loadgen.swarm.messaging import EXIT_PLAN, MessageChannel, Role
from loadgen.swarm.options import add_options, listen_here
from loadgen.swarm.plugin import LoadgenPlugin
from loadgen.swarm.reuse_user import ReuseUser
from loadgen.swarm.run_controller import RunController
from loadgen.swarm.swarm_user import SwarmUser
from loadgen.swarm.worker_agent import WorkerAgent

__all__ = ["ReuseUser", "SwarmUser"]

events.init_command_line_parser.add_listener(add_options)
events.init_command_line_parser.add_listener(lambda parser, **_: listen_here(parser, sys.argv, os.environ))
keep_digits()


@events.init.add_listener
def _connect(environment: Environment, runner: Any, web_ui: Any, **_: Any) -> None:
    """Locust has read its command line: get ready, and refuse what can't be run before anything starts."""
    # Locust looks at the stack when it stops a test. The first look finds the source of each module that is loaded: for
    # some 150 ms nobody else could run, and users that wait would be killed in the request that came next.
    inspect.stack()
    plugin = _plugin(environment, runner)
    environment.loadgen = plugin  # type: ignore[attr-defined] # Locust's class has no such attribute
    gevent.signal_handler(signal.SIGINT, plugin.interrupted)
    on = environment.events
    on.test_stopping.add_listener(lambda environment, **_: plugin.stopping())
    on.quit.add_listener(lambda exit_code, **_: plugin.close())
    controller = plugin.controller
    if controller is None:
        on.report_to_master.add_listener(lambda client_id, data, **_: plugin.add_reports(data))
        return
    on.test_start.add_listener(lambda environment, **_: controller.begin())
    on.spawning_complete.add_listener(lambda user_count, **_: controller.users_spawned(user_count))
    on.test_stop.add_listener(lambda environment, **_: controller.finish())
    on.worker_report.add_listener(lambda client_id, data, **_: controller.worker_reported(client_id, data))
    # Before Locust sets its exit code.
    on.quitting.add_listener(lambda environment, **_: _end(runner, controller))
    try:
        controller.check()
    except PlanError as error:
        print(f"loadgen: {error}", file=sys.stderr)  # noqa: T201 # Locust's log may go to a file
        plugin.close()
        sys.exit(EXIT_PLAN)
    if web_ui is not None:
        from loadgen.swarm.web import install  # Flask is needed by this process alone

        install(environment, controller.live_view, controller.start_form, controller.target_audit)
    # Locust starts the timer of --run-time next, and the loop's own time has stood still since the imports began: the
    # run would be shorter by as long as these took.
    gevent.get_hub().loop.update_now()


def _end(runner: Any, controller: RunController) -> None:
    """Locust is about to end: so does its test, and what a test that has ended still has to write comes first."""
    runner.stop()
    controller.finish()


def _plugin(environment: Environment, runner: Any) -> LoadgenPlugin:
    """The parts of loadgen that this process needs."""
    role = Role.LOCAL
    if isinstance(runner, MasterRunner | WorkerRunner):
        role = Role.MASTER if isinstance(runner, MasterRunner) else Role.WORKER
    channel = MessageChannel(runner, role)
    agent = None
    if role is not Role.MASTER:
        agent = WorkerAgent(
            channel.send_to_coordinator,
            lambda method, name, figures: merge_figures(environment.stats, method, name, figures),
        )
    controller = None if role is Role.WORKER else RunController(environment, runner, channel, agent)
    plugin = LoadgenPlugin(environment, runner, channel, agent, controller)
    channel.announce()
    return plugin
