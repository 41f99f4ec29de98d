"""ReuseUser: a Locust user whose scenario is written in Python and whose requests run on the engine."""

from __future__ import annotations

from typing import Any, Protocol

from gevent import Greenlet
from gevent.pool import Group
from locust import User
from locust.env import Environment
from locust.user.users import RestMixin

from loadgen.drive.requests.greenlet_client import MAX_CONCURRENCY
from loadgen.swarm.client import ReuseClient
from loadgen.swarm.host_credentials import split_credentials
from loadgen.swarm.origin_clients import OriginClients
from loadgen.swarm.origin_pools import OriginPools
from loadgen.swarm.response import ReuseResponse
from loadgen.swarm.user_classes import UserKind


class ScenarioRunner(Protocol):
    """Makes the requests of one user class in this process."""

    @property
    def origin_pools(self) -> OriginPools: ...


class ScenarioPlugin(Protocol):
    """What a ReuseUser needs of `environment.loadgen`."""

    def scenario_runner(self, user_class: type[User]) -> ScenarioRunner: ...

    def user_spawned(self, user_class: str) -> None: ...

    def user_gone(self, user_class: str) -> None: ...

    def user_started(self, user_class: str) -> None: ...

    def user_stopped(self, user_class: str) -> None: ...


class ReuseUser(User, RestMixin[ReuseResponse]):
    """A user that sends what its tasks say with `self.client`, and waits for each response.

    It takes the place of Locust's HttpUser and FastHttpUser, of which it has `rest` and `rest_` too.
    """

    abstract = True
    loadgen_kind = UserKind.SCENARIO
    policy: str = "persistent"
    """The connection policy of its users, such as `persistent`, `recycle:10+gap:2s`, `pool:10` or `h2`."""
    concurrency: int = MAX_CONCURRENCY
    """The most connections of one user at a time, for requests beside each other, where users have connections of their
    own; as FastHttpUser has it."""

    each_redirect: bool = False
    """A redirect that is followed is a request of its own in Locust's statistics, with its own connection facts."""
    # What FastHttpUser has of these, with its names.
    max_redirects: int = 30
    default_headers: dict[str, str] | None = None
    connection_timeout: float | None = None
    network_timeout: float | None = None
    insecure: bool | None = None
    """Accept any certificate, or none that is untrusted; None: as the run does."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._plugin: ScenarioPlugin = self.environment.loadgen
        pools = self._plugin.scenario_runner(type(self)).origin_pools
        self._clients = OriginClients(pools, self.concurrency)
        self.greenlet_client = self._clients.own
        url, credentials = split_credentials(self.host or pools.first.origin)
        self.client = ReuseClient(self, self._clients, url, self.policy)
        self.client.auth = credentials
        self._set_defaults()

    def start(self, group: Group) -> Greenlet:
        greenlet = super().start(group)
        self._plugin.user_spawned(type(self).__name__)
        self._plugin.user_started(type(self).__name__)  # also its on_start may send requests
        # Stopped, killed, or by an exception: in any case after its on_stop, which may still send requests.
        greenlet.rawlink(self._leave)
        return greenlet

    def _leave(self, _greenlet: Any) -> None:
        self._clients.leave()
        self._plugin.user_stopped(type(self).__name__)
        self._plugin.user_gone(type(self).__name__)

    def _set_defaults(self) -> None:
        """What the class says of all requests."""
        client = self.client
        client.each_redirect = self.each_redirect
        client.max_redirects = self.max_redirects
        if self.default_headers:
            client.headers = self.default_headers
        if self.connection_timeout or self.network_timeout:
            client.timeout = (self.connection_timeout, self.network_timeout)
        if self.insecure is not None:
            client.verify = not self.insecure
