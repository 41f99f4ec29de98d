"""Blocks: what is noted of each."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.drive import block as block_module
from loadgen.drive.block import addresses_used, look_again, redirect_location
from loadgen.model.addressing import Addressing
from loadgen.model.target import parse_target
from loadgen.wire import route_addresses
from loadgen.wire.http1.head import ResponseHead, parse_response_head
from loadgen.wire.route import Route
from tests.support.block_rig import Rig


def test_the_facts_of_a_block() -> None:
    rig = Rig("persistent")
    (facts, _) = rig.run()
    assert facts | {"rss_bytes": 0} == {
        "index": 0,
        "round": 0,
        "policy": "persistent",
        "first_connection": 10,
        "load_begun_ns": 60,
        "window_begun_ns": 100,
        "window_ended_ns": 200,
        "cpu_ns": 7,
        "rss_bytes": 0,
        "whole": True,
        "retried": 0,
        "keep_alive": {},
        "idle_statuses": {},
        "mismatched_echoes": 0,
        "trailers": rig.engine.trailers.take(),
        "lenient": {},
        "unasked_bytes": {"connections": 0, "example": ""},
        "unstarted": 3,
    }
    # They are written when the block, its window, the window's end and its own come: what is known outlives the run.
    assert ["window_begun_ns" in written for written in rig.sink.blocks[:4]] == [False, True, True, True]
    assert ["window_ended_ns" in written for written in rig.sink.blocks[:4]] == [False, False, True, True]
    assert "cpu_ns" not in rig.sink.blocks[2]
    assert rig.sink.blocks[3] == facts


def test_ignoring_a_close_has_an_account_of_its_own() -> None:
    (facts, _) = Rig("ignore-close").run()
    assert facts["after_close"] == {"tried": 4, "answered": 1}


def moved(line: bytes, status: bytes = b"302 Found") -> ResponseHead:
    return parse_response_head(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n%s\r\n" % (status, line))


@pytest.mark.parametrize(
    ("head", "location"),
    [
        (None, ""),
        (moved(b""), ""),
        (moved(b"location: /login\r\n"), "/login"),
        (moved(b"Location: https://u:p@h/?sid=7&x=1\r\n"), "https://***@h/?sid=***&x=1"),
        (moved(b"Location: /%s\r\n" % (b"a" * 5_000)), f"/{'a' * 199}…"),
        (moved(b"Location: /new\r\n", b"201 Created"), ""),
        (moved(b"Location: /new\r\n", b"503 No"), ""),
    ],
)
def test_where_redirects_lead_is_noted_without_secrets_and_not_at_length(
    head: ResponseHead | None, location: str
) -> None:
    assert redirect_location(head) == location
    rig = Rig("persistent")
    rig.engine.last_redirect = head
    (facts, _) = rig.run()
    assert facts.get("redirected_to", "") == location


def test_a_name_is_looked_up_again_at_the_end_of_a_block_that_opened_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a replica that came meanwhile would not be known to be starved."""
    asked: list[str] = []

    def resolve(host: str, _port: int, callback: Callable[[Any], None], _family: int) -> None:
        asked.append(host)
        callback([(2, ("192.0.2.1", 80)), (2, ("192.0.2.3", 80))])

    monkeypatch.setattr(route_addresses, "resolve", resolve)
    route = Route(parse_target("http://h/"), addressing=Addressing(addresses="all", dns_ttl_ns=1))
    look_again(route)
    assert asked == []  # nothing was looked up before
    route.set_addresses([(2, ("192.0.2.1", 80))], 1)
    look_again(route)
    assert asked == ["h"]
    assert [one[1][0] for one in route.addresses] == ["192.0.2.1", "192.0.2.3"]
    kept = Route(parse_target("http://h/"), addressing=Addressing(addresses="all"))
    kept.set_addresses([(2, ("192.0.2.1", 80))], 1)
    look_again(kept)
    assert asked == ["h"]


def test_what_races_cost_is_a_fact_of_the_block() -> None:
    route = Route(parse_target("http://h/"), addressing=Addressing(happy_eyeballs_ns=250_000_000))
    manager: Any = SimpleNamespace(balance=None)
    route.races.add("attempts", 3)
    assert addresses_used(manager, route)["races"]["attempts"] == 3
    assert addresses_used(manager, route)["races"]["attempts"] == 0
    assert addresses_used(manager, Route(parse_target("http://h/"))) == {}


def test_what_look_ups_of_several_origins_changed_is_a_fact_of_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(block_module, "look_again", looked.append)
    routes = [Route(parse_target(url), addressing=Addressing(dns_ttl_ns=1)) for url in ("http://h/", "http://other/")]
    for number in (1, 2):
        routes[1].set_addresses([(2, (f"192.0.2.{number}", 80))], number)
    manager: Any = SimpleNamespace(balance=None)
    (change,) = addresses_used(manager, *routes)["address_changes"]
    assert (change["origin"], change["added"], change["removed"]) == (
        "http://other",
        ["192.0.2.2:80"],
        ["192.0.2.1:80"],
    )
    assert addresses_used(manager, *routes) == {}
    assert looked == routes * 2


def test_races_to_several_origins_are_counted_together() -> None:
    addressing = Addressing(happy_eyeballs_ns=250_000_000)
    routes = [Route(parse_target(url), addressing=addressing) for url in ("http://h/", "http://other/")]
    for route in routes:
        route.races.add("attempts", 3)
    manager: Any = SimpleNamespace(balance=None)
    assert addresses_used(manager, *routes)["races"]["attempts"] == 6
    assert addresses_used(manager, *routes)["races"]["attempts"] == 0
