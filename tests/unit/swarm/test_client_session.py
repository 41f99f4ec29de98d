"""What a scenario sets of its client for all requests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from requests.cookies import RequestsCookieJar

from loadgen.swarm.client_session import ClientSession


class Clients:
    """One for each origin; they only know its name."""

    def __init__(self) -> None:
        self.cookies = RequestsCookieJar()
        self.closed = 0

    def of(self, origin: str) -> Any:
        return SimpleNamespace(call=origin)

    def close(self) -> None:
        self.closed += 1


def session(clients: Any, base_url: str = "http://h:81/api/") -> ClientSession:
    user: Any = SimpleNamespace(environment=SimpleNamespace(events=SimpleNamespace(request=None)))
    return ClientSession(user, clients, base_url, "persistent")


def test_the_base_url_can_change() -> None:
    one = session(Clients())
    assert one.base_url == "http://h:81/api"
    one.base_url = "https://Other/v2?x=1"
    assert one.base_url == "https://other/v2"
    with pytest.raises(ValueError, match="unknown"):
        one.base_url = "ftp://h"


def test_header_fields_are_a_mapping_without_regard_to_case() -> None:
    one = session(Clients())
    one.headers["X-One"] = "1"
    assert one.headers["x-one"] == "1"
    one.headers = {"X-Two": "2"}
    assert dict(one.headers) == {"X-Two": "2"}


def test_cookies_are_read_and_set_under_both_names() -> None:
    clients = Clients()
    one = session(clients)
    one.cookies.set("a", "1")
    assert one.cookiejar is one.cookies
    one.cookies = {"b": "2"}
    assert clients.cookies.get_dict() == {"b": "2"}


def test_a_name_holds_for_a_block() -> None:
    one = session(Clients())
    with one.rename_request("block"):
        assert one.request_name == "block"
    assert one.request_name is None


def test_a_proxy_is_that_of_a_run() -> None:
    one = session(Clients())
    one.proxies = {}
    with pytest.raises(ValueError, match="--proxy"):
        one.proxies = {"http": "http://p:1"}
    assert one.proxies == {}


def test_closing_closes_the_clients() -> None:
    clients = Clients()
    session(clients).close()
    assert clients.closed == 1
