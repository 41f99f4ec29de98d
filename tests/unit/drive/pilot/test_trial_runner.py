"""A pilot's trials on real sockets, against the embedded target's server in a thread."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from loadgen.drive.pilot.trial_runner import TrialRunner
from loadgen.model.exceptions import TargetError
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.target.behaviour import Behaviour
from loadgen.wire.route import Route
from tests.support.target_thread import target_in_thread


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's handler of errors is restored, as the rest of the tests share it."""
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_error", hub.handle_error)


def runner(port: int, policies: str, reports: list[dict[str, Any]]) -> TrialRunner:
    target, load = parse_target(f"http://127.0.0.1:{port}/"), Load(block_ns=2 * 10**9)
    # A precision that is asked for is the run's, not the pilot's.
    plan = Plan(target, parse_policies(policies), load, until_precision=0.02 if "," in policies else None)
    return TrialRunner(plan, Route.of, reports.append)


def test_a_pilot_counts_what_the_target_counts() -> None:
    reports: list[dict[str, Any]] = []
    with target_in_thread(Behaviour()) as server:
        found = runner(server.port, "persistent,close,gap:5s", reports).run()
        counted = server.stats()
    assert found is not None
    assert (found["requests"], found["connections"]) == (counted["requests"], counted["accepted"])
    assert 1 <= found["users"] <= 50
    assert found["think_ns"] > 0
    assert found["seconds"] < 3
    first, *others = found["trials"]
    assert (first["users"], first["think_ns"], first["rate_rps"]) == (1, 0, None)
    assert list(first["policies"]) == ["persistent", "close", "gap:5s"]
    assert others, "a fast target leaves time for more than one trial"
    assert all(list(one["policies"])[:2] == ["persistent", "close"] for one in others)
    assert [list(one) for one in reports] == [["observed"]]


def test_a_pilot_tries_each_of_several_targets() -> None:
    reports: list[dict[str, Any]] = []
    with target_in_thread(Behaviour()) as fast, target_in_thread(Behaviour(delay_ns=5_000_000)) as slow:
        urls = [f"http://127.0.0.1:{server.port}/" for server in (fast, slow)]
        targets = tuple(NamedTarget(name, parse_target(url)) for name, url in zip("AB", urls, strict=True))
        plan = Plan(targets[0].target, parse_policies("persistent"), Load(block_ns=2 * 10**9), targets=targets)
        found = TrialRunner(plan, Route.of, reports.append).run()
        counted = [server.stats() for server in (fast, slow)]
    assert found is not None
    assert found["requests"] == sum(one["requests"] for one in counted)
    assert found["connections"] == sum(one["accepted"] for one in counted)
    assert list(found["trials"][0]["policies"]) == ["persistent · A", "persistent · B"]
    assert [one["target"] for one in reports] == ["A", "B"]


def test_a_target_that_is_not_there_ends_the_pilot_as_it_ends_a_run(closed_port: int) -> None:
    with pytest.raises(TargetError, match=r"connect refused.*tried 5 times"):
        runner(closed_port, "persistent", []).run()


def test_an_interruption_ends_it_without_a_choice() -> None:
    with target_in_thread(Behaviour(delay_ns=30_000_000)) as server:
        trials = runner(server.port, "persistent", [])
        with gevent.Timeout(10):
            timer = gevent.get_hub().loop.timer(0.02)
            timer.start(trials.interrupt)
            assert trials.run() is None
            timer.close()


def test_requests_that_outlast_the_pilot_are_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.drive.pilot.trial_runner._ALL_NS", 600_000_000)
    with target_in_thread(Behaviour(delay_ns=250_000_000)) as server:
        found = runner(server.port, "persistent,close", []).run()
    assert found is not None
    assert found["seconds"] < 1
    assert "as far as the pilot's time went" in found["reason"]
