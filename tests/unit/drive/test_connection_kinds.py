"""Each protocol has its class of connection, which is loaded before the first block."""

from __future__ import annotations

import pytest

from loadgen.drive import connection_manager
from loadgen.drive.connection_kinds import kind_of
from loadgen.model.plan import Plan
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, WEBSOCKET, parse_policies
from loadgen.model.target import parse_target
from tests.support.fake_network import FakeClock, FakeRoute, FakeSink

KINDS = {
    HTTP1: "Connection",
    WEBSOCKET: "WebSocketConnection",
    H2: "Http2Connection",
    H2_PRIOR: "Http2Connection",
    H2C_UPGRADE: "H2cConnection",
}


@pytest.mark.parametrize("protocol", KINDS)
def test_a_protocol_has_its_class(protocol: str) -> None:
    assert kind_of(protocol).__name__ == KINDS[protocol]


@pytest.mark.parametrize(
    ("protocol", "name"),
    [(HTTP1, "Connection"), (H2, "ExpectingHttp2Connection"), (H2_PRIOR, "ExpectingHttp2Connection")],
)
def test_bodies_that_wait_have_a_class_of_their_own_in_http2(protocol: str, name: str) -> None:
    assert kind_of(protocol, expects=True).__name__ == name


def test_a_manager_loads_what_its_plan_speaks_before_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a library would hold up the load for 30 ms."""
    loaded: list[str] = []
    monkeypatch.setattr(connection_manager, "kind_of", lambda protocol, expects: loaded.append(protocol))
    clock = FakeClock()
    plan = Plan(parse_target("http://h:81/"), parse_policies("persistent,h2-prior,websocket"))
    connection_manager.ConnectionManager(plan, FakeRoute(clock), FakeSink(), 0, clock).close()
    assert loaded == [HTTP1, H2_PRIOR, WEBSOCKET]
