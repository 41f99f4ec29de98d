"""SwarmUser: a Locust user that is a closed-loop client of the engine. Its requests pass through no Python task."""

from __future__ import annotations

from typing import Any

from gevent.event import Event
from locust import User, task
from locust.user.task import LOCUST_STATE_WAITING

from loadgen.swarm.user_classes import UserKind


class SwarmUser(User):
    """Sends one fixed request as fast as the engine can; blocks of the run say under which connection policy.

    policy: what its users keep to, such as `close`; None to alternate between those of --policies. All requests of its
    users are measured, and reach Locust's statistics in bulk after each block: `events.request` does not fire for each.
    """

    abstract = True
    policy: str | None = None
    loadgen_kind = UserKind.SWARM

    @task
    def drive(self) -> None:
        """Be counted among the block's users until Locust ends this one."""
        session: Any = self.environment.loadgen
        session.joined(type(self).__name__)
        self._state = LOCUST_STATE_WAITING  # nothing of a task is under way: it may be ended at any time
        try:
            Event().wait()
        finally:
            session.left(type(self).__name__)
