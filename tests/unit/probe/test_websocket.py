"""The probes of WebSocket on servers that keep the rules, or do not offer it."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.proxy import parse_proxy
from loadgen.model.units import NS_PER_MS
from loadgen.probe.websocket import PROBES
from loadgen.probe.websocket.websocket_link import NotOffered
from loadgen.probe.websocket.where_offered import where_offered
from loadgen.target.behaviour import Behaviour
from tests.support.audits import audit, finding, opened_within_ns
from tests.support.processes import scripted_server
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.target_thread import target_in_thread
from tests.support.upgrade_servers import CLOSE, PING, PONG, WebSocketSide, ws_frame
from tests.support.violations.websocket import answers, websocket

SHORT: dict[str, Any] = {"idle_max_ns": 700 * NS_PER_MS, "timeout_ns": 500 * NS_PER_MS}


def test_a_server_that_closes_silent_ones() -> None:
    with target_in_thread(Behaviour(idle_timeout_ns=300 * NS_PER_MS)) as server, fake_proxy() as (_, port):
        plan = SHORT | {"proxy": parse_proxy(proxy_url(port))}
        record = audit(f"http://127.0.0.1:{server.port}/", "websocket", **plan)
    found = record["findings"]
    assert opened_within_ns(record, "websocket_idle_timeout") > 50 * NS_PER_MS  # apart, by 20 ms here
    for probe in PROBES:
        assert found[probe.name]["values"].keys() <= probe.values.keys()
    values = {name.removeprefix("websocket_"): one["values"] for name, one in found.items()}
    assert values["upgrade"]["offered"] is True
    assert values["ping"]["answered"] == 6
    assert values["close"].items() >= {"answered": True, "code": 1000}.items()
    assert 290 * NS_PER_MS <= values["idle_timeout"]["timeout_ns"] <= 500 * NS_PER_MS
    assert values["idle_timeout"].items() >= {"connections": 6, "ended": 6, "closes": 6, "code": 1001}.items()
    assert (found["websocket_kept_by_pings"]["verdict"], values["kept_by_pings"]["kept"]) == ("ok", True)


def test_pings_of_the_server_are_answered_and_counted() -> None:
    def speak(side: WebSocketSide) -> None:
        side.say(ws_frame(PING, b"there?"))
        answers(side)

    with scripted_server(websocket(speak)) as port:
        found = audit(f"http://127.0.0.1:{port}/", "websocket", **SHORT | {"idle_max_ns": 200 * NS_PER_MS})["findings"]
    silent = found["websocket_idle_timeout"]
    assert (silent["verdict"], silent["values"]["pings"]) == ("note", 6)
    assert silent["measured"] == "longer than 200 ms; the server sent 6 Pings"
    kept = found["websocket_kept_by_pings"]
    assert (kept["verdict"], kept["values"]["kept"]) == ("ok", True)
    assert kept["values"]["answered"] >= 10


def test_pongs_that_nothing_asked_for_are_no_answers() -> None:
    """A server may send them, as heartbeats say (RFC 6455 §5.5.3)."""

    def speak(side: WebSocketSide) -> None:
        side.say(ws_frame(PONG, b"") + ws_frame(PONG, b"alive"))
        answers(side)

    with scripted_server(websocket(speak)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "websocket_ping", **SHORT)
    assert (found["verdict"], found["values"]["pings"], found["values"]["answered"]) == ("ok", 6, 6)


def test_pings_that_keep_it_open() -> None:
    """The server's own timeout begins anew with each frame."""

    def speak(side: WebSocketSide) -> None:
        side.connection.settimeout(0.25)
        answers(side)

    with scripted_server(websocket(speak)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "websocket_kept_by_pings", **SHORT)
    assert (found["verdict"], found["values"]["kept"]) == ("ok", True)
    assert found["values"]["lived_ns"] >= 290 * NS_PER_MS


def test_a_close_that_comes_with_the_upgrade() -> None:
    with scripted_server(websocket(lambda side: side.say(ws_frame(CLOSE, b"\x03\xe9")))) as port:
        found = audit(f"http://127.0.0.1:{port}/", "websocket", **SHORT)["findings"]
    assert found["websocket_ping"]["verdict"] == "unknown"
    assert found["websocket_close"]["verdict"] in ("unknown", "ok")
    assert found["websocket_idle_timeout"]["values"]["ended"] == 6


@pytest.mark.parametrize(("declines", "offered"), [(frozenset({"websocket"}), False), (frozenset(), True)])
def test_it_is_not_offered(declines: frozenset[str], offered: bool) -> None:
    with target_in_thread(Behaviour(declines=declines)) as server:
        plan = SHORT | {"idle_max_ns": 100 * NS_PER_MS}
        found = audit(f"http://127.0.0.1:{server.port}/", "websocket", **plan)["findings"]
    assert (found["websocket_upgrade"]["verdict"] == "ok") is offered
    assert (found["websocket_ping"]["measured"] != "not offered at this URL") is offered


class NoFindings:
    """A session in which no other probe has found anything."""

    def finding(self, _name: str) -> None:
        return None


def test_without_the_upgrade_nothing_is_known() -> None:
    def run(_session: Any) -> Any:
        raise NotOffered("it is not to be run")

    found = where_offered(run)(NoFindings())  # type: ignore[arg-type] # all that is needed of a session
    assert found.verdict.value == "unknown"
