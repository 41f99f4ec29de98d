"""ReuseUser: a Locust user whose scenario is written in Python and whose requests run on the engine."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

from gevent import Greenlet
from gevent.pool import Group
from locust import User
from locust.env import Environment

from loadgen.drive.requests.greenlet_client import GreenletClientPool
from loadgen.swarm.client import ReuseClient
from loadgen.swarm.user_classes import UserKind


class ScenarioUserRunner(Protocol):
    """Where the requests of one user class are made in this process."""

    @property
    def callers(self) -> GreenletClientPool: ...


class Scenarios(Protocol):
    """What a scenario's user asks of the process's session, which lies at `environment.loadgen`."""

    def scenario_lane(self, user_class: type[User]) -> ScenarioUserRunner: ...


class ReuseUser(User):
    """A user that sends what its tasks say with `self.client`, and waits for each response.

    policy: the connection policy that its users keep to, such as `persistent` or `recycle:10+gap:2s`; not one that
    shares connections (`pool`) or doesn't wait (`pipeline`).
    """

    abstract = True
    policy: str = "persistent"
    loadgen_kind = UserKind.SCENARIO

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        session: Scenarios = self.environment.loadgen
        callers = session.scenario_lane(type(self)).callers
        self._caller = callers.caller()
        base = urlsplit(self.host or "").path.rstrip("/")
        self.client = ReuseClient(self, self._caller, callers.origin, base, self.policy)

    def start(self, group: Group) -> Greenlet:
        greenlet = super().start(group)
        # However it ends: stopped, killed, by an exception; after its on_stop, which may still send requests.
        greenlet.rawlink(self._leave)
        return greenlet

    def _leave(self, _greenlet: Any) -> None:
        self._caller.leave()
