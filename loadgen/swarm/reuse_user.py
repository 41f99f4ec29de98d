"""ReuseUser: a Locust user whose scenario is written in Python and whose requests run on the engine."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

from gevent import Greenlet
from gevent.pool import Group
from locust import User
from locust.env import Environment

from loadgen.drive.requests.greenlet_client import MAX_CONCURRENCY, GreenletClientPool
from loadgen.swarm.client import ReuseClient
from loadgen.swarm.user_classes import UserKind


class ScenarioRunner(Protocol):
    """Makes the requests of one user class in this process."""

    @property
    def client_pool(self) -> GreenletClientPool: ...


class ScenarioRunners(Protocol):
    """What a ReuseUser needs of `environment.loadgen`."""

    def scenario_runner(self, user_class: type[User]) -> ScenarioRunner: ...


class ReuseUser(User):
    """A user that sends what its tasks say with `self.client`, and waits for each response."""

    abstract = True
    loadgen_kind = UserKind.SCENARIO
    policy: str = "persistent"
    """The connection policy of its users, such as `persistent`, `recycle:10+gap:2s`, `pool:10` or `h2`."""
    concurrency: int = MAX_CONCURRENCY
    """The most connections of one user at a time, for requests beside each other, where users have connections of their
    own; as FastHttpUser has it."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        plugin: ScenarioRunners = self.environment.loadgen
        pool = plugin.scenario_runner(type(self)).client_pool
        self.greenlet_client = pool.new_client(self.concurrency)
        base = urlsplit(self.host or "").path.rstrip("/")
        self.client = ReuseClient(self, self.greenlet_client, pool.origin, base, self.policy)

    def start(self, group: Group) -> Greenlet:
        greenlet = super().start(group)
        # Stopped, killed, or by an exception: in any case after its on_stop, which may still send requests.
        greenlet.rawlink(self._leave)
        return greenlet

    def _leave(self, _greenlet: Any) -> None:
        self.greenlet_client.leave()
