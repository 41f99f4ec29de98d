"""SwarmUser: a Locust user that is a closed-loop client of the engine. Its requests pass through no Python task."""

from __future__ import annotations

from typing import Any

from gevent import Greenlet
from gevent.event import Event
from gevent.pool import Group
from locust import User, task
from locust.user.task import LOCUST_STATE_WAITING

from loadgen.swarm.user_classes import UserKind


class SwarmUser(User):
    """Sends one fixed request as fast as the engine can; blocks of the run say under which connection policy.

    All requests of its users are measured, and reach Locust's statistics in bulk after each block: `events.request`
    does not fire for each of them.
    """

    abstract = True
    loadgen_kind = UserKind.SWARM
    policy: str | None = None
    """The policy of its users, such as `close`; None to alternate between those of --policies."""

    def start(self, group: Group) -> Greenlet:
        greenlet = super().start(group)
        plugin: Any = self.environment.loadgen
        plugin.user_spawned(type(self).__name__)
        greenlet.rawlink(lambda _greenlet: plugin.user_gone(type(self).__name__))
        return greenlet

    @task
    def drive(self) -> None:
        """Count as one of the block's users until Locust stops this one."""
        plugin: Any = self.environment.loadgen
        plugin.user_started(type(self).__name__)
        self._state = LOCUST_STATE_WAITING  # no task is under way: Locust may stop this user at any time
        try:
            Event().wait()
        finally:
            plugin.user_stopped(type(self).__name__)
