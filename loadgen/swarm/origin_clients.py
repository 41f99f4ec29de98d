"""One user's clients: one for each origin that its requests go to. Sends nothing and knows no event."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import cast

from loadgen.drive.clients.shared_client import SharedClient
from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.greenlet_client import MAX_CONCURRENCY, GreenletClient, GreenletClientPool
from loadgen.model.redaction import redact_url
from loadgen.swarm.scenario_request import Trust
from loadgen.swarm.session_cookies import SessionCookies


class OriginClients:
    """pool: the clients of the user's own origin. concurrency: the most connections of the user to an origin."""

    def __init__(self, pool: GreenletClientPool, concurrency: int = MAX_CONCURRENCY) -> None:
        self.origin = pool.origin
        """The user's own."""
        self.own = pool.new_client(concurrency)
        """The client for it."""
        self._cookies: SessionCookies | None = None

    def of(self, origin: str, trust: Trust | None = None) -> GreenletClient | SharedClient:
        """The client for an origin. Raises ValueError where there is none."""
        if origin != self.origin or trust is not None:
            raise ValueError(f"the URL {redact_url(origin)!r} is another host's; a user's requests go to {self.origin}")
        return self.own

    @property
    def cookies(self) -> SessionCookies:
        """The user's cookies, of all origins."""
        if self._cookies is None:
            self._cookies = SessionCookies()
            self._cookies.serve(cast(PathCookieState, self.own.user_state))
        return self._cookies

    @property
    def jar(self) -> CookieJar | None:
        """The same, where the engine has them; None where there are none yet."""
        return cast(PathCookieState, self.own.user_state).jar

    def close(self) -> None:
        """Close the connections that are not in use."""
        self.own.close_idle()

    def leave(self) -> None:
        """The user is gone."""
        self.own.leave()
