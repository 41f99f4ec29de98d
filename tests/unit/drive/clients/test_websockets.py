"""The WebSockets of a process: which way they take, which numbers they get, whose they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import gevent
import pytest

from loadgen.drive.clients.websockets import WebSockets
from loadgen.drive.requests.builder import RequestBuilder
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.wire.listener import NULL_LISTENER
from loadgen.wire.route import Route
from tests.support.client_rig import ClientRig, clients_of_target, opened_websocket
from tests.support.proxies import fake_proxy, proxy_url


@pytest.mark.parametrize("proxy", [None, "http://127.0.0.1:9"])
def test_a_websocket_goes_through_a_proxy_by_a_tunnel(make: Callable[..., ClientRig], proxy: str | None) -> None:
    policies = parse_policies("persistent")
    plan = Plan(parse_target("http://h:81/"), policies, proxy=None if proxy is None else parse_proxy(proxy))
    route = Route.of(plan)
    route.tunnels = plan.tunnels(policies[0])
    websockets = WebSockets(make().pool, RequestBuilder(plan, policies[0]), count(), plan, route)
    conversation = websockets.new_conversation(NULL_LISTENER)
    assert (route.tunnels, conversation._route.tunnels) == (False, proxy is not None)


def test_slots_are_numbered_with_those_of_requests_and_not_used_again(make: Callable[..., ClientRig]) -> None:
    rig = make()
    user, other = rig.pool.new_client(), rig.pool.new_client()
    mine, theirs = opened_websocket(rig, user), opened_websocket(rig, other)
    assert [one.index for one in (user, other, mine, theirs)] == [0, 1, 2, 3]
    rig.pool.websockets.close_of(user.index)
    assert list(rig.pool.websockets.opened) == [theirs]
    assert opened_websocket(rig, other).index == 4


def test_messages_go_through_a_proxy() -> None:
    with (
        fake_proxy() as (fake, port),
        clients_of_target(proxy=parse_proxy(proxy_url(port))) as (pool, sink, target),
    ):
        user = pool.new_client()

        def talk() -> str | bytes:
            websocket = user.websocket("/chat")
            websocket.send_message("through a tunnel")
            return websocket.receive_message().payload

        assert gevent.spawn(talk).get(timeout=20) == "through a tunnel"
        assert fake.heads[0].startswith(f"CONNECT 127.0.0.1:{target.port} ".encode())
        user.leave()
    assert [row["tunnel"] > 0 for row in sink.connections] == [True]
