"""One user's clients: one for each origin that its requests go to. Sends nothing and knows no event."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import cast

from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.drive.clients.shared_client import SharedClient
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.greenlet_client import MAX_CONCURRENCY, GreenletClient
from loadgen.swarm.origin_pools import OriginPools
from loadgen.swarm.scenario_request import Trust
from loadgen.swarm.session_cookies import SessionCookies

Client = GreenletClient | SharedClient


class OriginClients:
    """concurrency: the most connections of the user to an origin, where users have connections of their own."""

    def __init__(self, pools: OriginPools, concurrency: int = MAX_CONCURRENCY) -> None:
        self._pools = pools
        self._concurrency = concurrency
        self.own = pools.first.new_client(concurrency)
        """The client for the run's target."""
        self._clients: dict[GreenletClientPool, Client] = {pools.first: self.own}
        self._known: dict[tuple[str, Trust | None], Client] = {(pools.first.origin, None): self.own}
        self._cookies: SessionCookies | None = None

    def of(self, origin: str, trust: Trust | None = None) -> Client:
        """The client for an origin. Raises PlanError, a ValueError, where there can be none."""
        found = self._known.get((origin, trust))
        if found is None:
            pool = self._pools.of(origin, trust)
            found = self._clients.get(pool) or self._add(pool)
            self._known[origin, trust] = found
        return found

    @property
    def cookies(self) -> SessionCookies:
        """The user's cookies, of all origins."""
        if self._cookies is None:
            self._cookies = SessionCookies()
            self._cookies.serve(_state(self.own))
        return self._cookies

    @property
    def jar(self) -> CookieJar | None:
        """The same, where the engine has them; None where there are none yet."""
        return _state(self.own).jar

    def close(self) -> None:
        """Close the connections that are the user's own and not in use."""
        for client in self._clients.values():
            client.close_idle()

    def leave(self) -> None:
        """The user is gone; safe to call twice."""
        for client in self._clients.values():
            client.leave()

    def _add(self, pool: GreenletClientPool) -> Client:
        client = self._clients[pool] = pool.new_client(self._concurrency, self.own.user_state.index)
        self.cookies.serve(_state(client))
        return client


def _state(client: Client) -> PathCookieState:
    return cast(PathCookieState, client.user_state)
