"""What all requests of a scenario's client have in common, as Locust's users set it. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.cookies import RequestsCookieJar, merge_cookies
from requests.structures import CaseInsensitiveDict

from loadgen.swarm.scenario_request import Auth, Pairs, Timeout, split_url

if TYPE_CHECKING:  # Locust patches the standard library of who imports it, and who imports this has done so
    from locust import User

    from loadgen.swarm.origin_clients import OriginClients


class ClientSession:
    """One user's, whose requests go to base_url: the host, with the path that goes before each path."""

    def __init__(self, user: User, clients: OriginClients, base_url: str, policy: str) -> None:
        self._user = user
        self._clients = clients
        self._event = user.environment.events.request
        self._policy = policy
        self._headers: CaseInsensitiveDict[Any] | None = None
        self.base_url = base_url
        self.request_name: str | None = None
        """The name of all requests that give none, while it is set."""
        # What all requests have in common, where they give nothing of their own.
        self.params: Pairs | None = None
        self.auth: Auth | None = None
        self.timeout: Timeout | None = None
        self.verify: bool | str | None = None
        self.cert: str | tuple[str, str] | None = None
        self.max_redirects = 30
        self.each_redirect = False

    # What Locust's users set of a client

    @property
    def base_url(self) -> str:
        return f"{self._origin}{self._base}"

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._origin, path = split_url(url)
        self._base = path.partition("?")[0].rstrip("/")
        self._call = self._clients.of(self._origin).call

    @property
    def headers(self) -> CaseInsensitiveDict[Any]:
        """Header fields of all requests."""
        if self._headers is None:
            self._headers = CaseInsensitiveDict()
        return self._headers

    @headers.setter
    def headers(self, fields: Mapping[str, Any]) -> None:
        self._headers = CaseInsensitiveDict(fields)

    @property
    def cookies(self) -> RequestsCookieJar:
        """The user's cookies, to be read and set."""
        return self._clients.cookies

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        jar = self._clients.cookies
        jar.clear()
        merge_cookies(jar, cookies)

    @property
    def cookiejar(self) -> RequestsCookieJar:
        """The same, as FastHttpUser's client calls it."""
        return self._clients.cookies

    @property
    def proxies(self) -> dict[str, str]:
        """None: a proxy is one of all requests of a run (`--proxy`)."""
        return {}

    @proxies.setter
    def proxies(self, proxies: Mapping[str, str]) -> None:
        if proxies:
            raise ValueError("a proxy of one client is not supported; --proxy is that of all requests of a run")

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Requests in the `with` block that give no name have this one."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def close(self) -> None:
        """Close the user's connections; the next request opens a new one."""
        self._clients.close()
