"""The first request to each of several origins: what is observed, and who is named where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from loadgen.drive.engine import Engine
from loadgen.drive.engines import engine_of, routes_of
from loadgen.drive.origin_checks import OriginChecks, check_of
from loadgen.drive.target_check import TargetCheck
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1, parse_policies
from loadgen.model.target import parse_target
from loadgen.wire.route import Route
from tests.support.answering_transport import AnsweringTransport
from tests.support.fake_network import FakeSink
from tests.support.origin_rig import OriginRig


class Refusing(AnsweringTransport):
    refuses = True


@pytest.fixture(autouse=True)
def _loop() -> Iterator[None]:
    alive = gevent.get_hub().loop.timer(60)
    alive.start(lambda: None)
    yield
    alive.close()


def check(*servers: type[AnsweringTransport], must_answer: bool = True) -> tuple[OriginRig, list[dict[str, Any]], Any]:
    rig = OriginRig("persistent", servers)
    reports: list[dict[str, Any]] = []
    found = check_of(rig.plan, rig.routes[0], rig.engine, reports.append, must_answer, has_answered=True)
    assert isinstance(found, OriginChecks)
    return rig, reports, found


def test_each_origin_is_asked_once_and_observed() -> None:
    rig, reports, checks = check(AnsweringTransport, AnsweringTransport)
    assert checks.before_block(HTTP1) == checks.before_block(HTTP1) == {}
    rig.engine.close()
    assert [len(route.made) for route in rig.routes] == [1, 1]
    assert [(report.get("origin"), report["observed"]["status"]) for report in reports] == [
        (None, 200),
        ("http://img:82", 200),
    ]
    assert checks.observed()["status"] == 200


def test_an_engine_that_is_asked_for_one_request_asks_the_first_origin() -> None:
    rig, _, _ = check(AnsweringTransport, Refusing)
    assert rig.engine.preflight() is None
    rig.engine.close()
    assert [len(route.made) for route in rig.routes] == [1, 0]


@pytest.mark.parametrize(
    ("servers", "named"),
    [((AnsweringTransport, Refusing), "http://img:82/"), ((Refusing, AnsweringTransport), "http://h:81/")],
)
def test_one_that_refuses_is_a_warning_that_names_it(servers: Any, named: str) -> None:
    rig, reports, checks = check(*servers)
    checks.before_block(HTTP1)
    rig.engine.close()
    (report,) = [report for report in reports if "warning" in report]
    assert report["warning"]["code"] == "target_failed"
    assert report["warning"]["message"].startswith(f"{named}: connect refused: ")
    assert f"{report['origin']}/" == named


def test_if_none_answers_all_are_named() -> None:
    rig, _, checks = check(Refusing, Refusing)
    with pytest.raises(TargetError, match=r"none of 2 origins answers: http://h:81/: connect .*; http://img:82/: conn"):
        checks.before_block(HTTP1)
    rig.engine.close()


def test_in_front_of_people_none_has_to_answer() -> None:
    rig, reports, checks = check(Refusing, Refusing, must_answer=False)
    checks.before_block(HTTP1)
    rig.engine.close()
    assert len([report for report in reports if "warning" in report]) == 2


def test_one_origin_has_the_usual_engine_and_check() -> None:
    plan = Plan(parse_target("http://127.0.0.1:81/"), parse_policies("close"))
    routes = routes_of(plan, Route.of)
    engine = engine_of(plan, routes, FakeSink(), 5)
    assert (type(engine), engine.connections, len(routes)) == (Engine, 5, 1)
    assert isinstance(check_of(plan, routes[0], engine, lambda _: None, True), TargetCheck)
    engine.close()
