"""Locust on loadgen's engine: users for locustfiles, a tab in the web UI, workers whose results become one.

Importing this imports Locust, and Locust patches the standard library for gevent. Locust's events are connected here,
so a locustfile needs no more than a user class.
"""

from __future__ import annotations

import sys
from typing import Any

from locust import events
from locust.env import Environment

from loadgen.model.exceptions import PlanError
from loadgen.swarm.locust_patches import install as keep_digits
from loadgen.swarm.messaging import EXIT_PLAN
from loadgen.swarm.options import add_options
from loadgen.swarm.plugin import LoadgenPlugin
from loadgen.swarm.reuse_user import ReuseUser
from loadgen.swarm.swarm_user import SwarmUser

__all__ = ["ReuseUser", "SwarmUser"]

events.init_command_line_parser.add_listener(add_options)
keep_digits()


@events.init.add_listener
def _connect(environment: Environment, runner: Any, web_ui: Any, **_: Any) -> None:
    """Locust has read its command line: get ready, and refuse what can't be run before anything is."""
    session = environment.loadgen = LoadgenPlugin(environment, runner)  # type: ignore[attr-defined] # Locust's has no such attribute
    on = environment.events
    on.test_stopping.add_listener(lambda environment, **_: session.stopping())
    if not session.orders:
        on.report_to_master.add_listener(lambda client_id, data, **_: session.report(data))
        on.quit.add_listener(lambda exit_code, **_: session.close())
        return
    on.test_start.add_listener(lambda environment, **_: session.begin())
    on.spawning_complete.add_listener(lambda user_count, **_: session.spawned(user_count))
    on.test_stop.add_listener(lambda environment, **_: session.finish())
    on.worker_report.add_listener(lambda client_id, data, **_: session.reported(client_id, data))
    # Before Locust settles its exit code.
    on.quitting.add_listener(lambda environment, **_: runner.stop())
    on.quit.add_listener(lambda exit_code, **_: session.close())
    try:
        session.check()
    except PlanError as error:
        print(f"loadgen: {error}", file=sys.stderr)  # noqa: T201
        session.close()
        sys.exit(EXIT_PLAN)
    if web_ui is not None:
        from loadgen.swarm.web import install

        install(environment, session)
