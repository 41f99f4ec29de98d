"""The origins of several requests."""

from __future__ import annotations

from loadgen.model.origins import origins_of, places_of, requests_to
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.target import parse_target

TARGET = parse_target("http://shop.test/start")


def request(name: str, origin: str = "") -> PlannedRequest:
    return PlannedRequest(name, "/", origin=origin)


def test_each_origin_stands_once_and_the_target_first() -> None:
    requests = [request("a", "https://img.test"), request("b"), request("c", "http://shop.test"), request("d")]
    assert origins_of(TARGET, requests) == (TARGET, parse_target("https://img.test/"))
    assert places_of(TARGET, requests) == [1, 0, 0, 0]
    assert origins_of(parse_target("http://unused.test/"), requests[:1]) == (parse_target("https://img.test/"),)
    assert [one.name for one in requests_to(TARGET, TARGET, requests)] == ["b", "c", "d"]


def test_without_requests_the_target_is_the_origin() -> None:
    assert origins_of(TARGET, ()) == (TARGET,)


def test_two_socket_files_are_two_origins() -> None:
    found = origins_of(TARGET, [request("a", "http+unix://%2Fa"), request("b", "http+unix://%2Fb")])
    assert [one.socket for one in found] == ["/a", "/b"]
    assert found[0].origin == found[1].origin  # and their Host fields are equal
