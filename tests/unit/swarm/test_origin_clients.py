"""A user's clients, one for each origin, over a network without a kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loadgen.drive.requests.greenlet_client import GreenletClientPool
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.swarm.origin_clients import OriginClients
from loadgen.swarm.scenario_request import Trust
from loadgen.wire import poller
from tests.support.client_rig import clients_of_target
from tests.support.fake_network import FakeRoute, FakeSink


@pytest.fixture
def clients() -> Iterator[OriginClients]:
    plan = Plan(parse_target("http://h:81/"), parse_policies("persistent"))
    pool = GreenletClientPool(plan, FakeRoute(poller.of_hub()), FakeSink(), "persistent")
    yield OriginClients(pool)
    pool.close()


def test_the_user_s_own_origin_has_one_client(clients: OriginClients) -> None:
    assert clients.of("http://h:81") is clients.own


@pytest.mark.parametrize(("origin", "trust"), [("http://other", None), ("http://h:81", Trust(False, None))])
def test_another_origin_is_refused(clients: OriginClients, origin: str, trust: Trust | None) -> None:
    with pytest.raises(ValueError, match="another host's"):
        clients.of(origin, trust)


def test_cookies_that_the_scenario_sets_are_sent(clients: OriginClients) -> None:
    assert clients.jar is None
    clients.cookies.set("a", "1")
    assert clients.jar is clients.cookies
    assert clients.cookies.get_dict() == {"a": "1"}


@pytest.mark.parametrize(("policy", "left_open"), [("persistent", 0), ("h2-prior", 0), ("pool:1", 1)])
def test_closing_closes_what_is_the_user_s_own(policy: str, left_open: int) -> None:
    with clients_of_target(policy=policy) as (pool, sink, _):
        clients = OriginClients(pool)
        assert clients.own.call("GET", "/").status == 200
        clients.close()
        assert len(sink.connections) == 1 - left_open
        assert clients.own.call("GET", "/").reused is bool(left_open)
