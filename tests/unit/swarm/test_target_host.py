"""Which target a run loads, and when the embedded one is started, trusted, monitored and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.swarm import target_host
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import UserKind
from tests.support.fake_swarm import fake_environment, locust_options, plan, user_class


class FakeTarget:
    """started: all of them."""

    started: list[FakeTarget]

    def __init__(self, tls: bool, directory: Path) -> None:
        self.ca_file = directory / "ca.pem" if tls else None
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{5000 + len(FakeTarget.started)}/"
        self.pid = 77
        self.is_stopped = False
        self.directory = directory
        FakeTarget.started.append(self)

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[FakeTarget]:
    FakeTarget.started = []
    monkeypatch.setattr(target_host, "EmbeddedTarget", FakeTarget)
    monkeypatch.setattr(target_host, "account", lambda target, cacert: {"requests": 3})
    return FakeTarget.started


def test_a_given_host_is_the_target(started: list[FakeTarget]) -> None:
    host = TargetHost(fake_environment(user_class("One", host="http://of-class:1"), host="http://given:1"))
    options = locust_options()
    assert host.url(options) == "http://given:1"
    assert host.trusted(options, "http://given:1") is options
    assert host.monitored(plan()).server_pid is None
    assert host.account(plan()) is None
    host.stop()
    assert started == []


def test_a_class_may_name_the_host() -> None:
    host = TargetHost(fake_environment(user_class("One", host="http://of-class:1"), user_class("Two"), host=""))
    assert host.url(locust_options()) == "http://of-class:1"


def test_scenarios_alone_may_have_credentials_in_their_host() -> None:
    scenario, swarm = user_class("One", kind=UserKind.SCENARIO), user_class("Two")
    url = "http://me:secret@given:1/a"
    assert TargetHost(fake_environment(scenario, host=url)).url(locust_options()) == "http://given:1/a"
    assert TargetHost(fake_environment(scenario, swarm, host=url)).url(locust_options()) == url  # which is refused


def test_classes_with_different_hosts_are_refused() -> None:
    classes = user_class("One", host="http://b:1"), user_class("Two", host="http://a:1")
    with pytest.raises(PlanError, match="name different hosts, http://a:1 and http://b:1; give one with -H"):
        TargetHost(fake_environment(*classes, host="")).url(locust_options())


def test_without_a_host_the_embedded_target_is_started_once(started: list[FakeTarget]) -> None:
    environment = fake_environment(user_class("One"), host="")
    host = TargetHost(environment)
    assert host.url(locust_options()) == host.url(locust_options()) == environment.host == "http://127.0.0.1:5000/"
    assert len(started) == 1
    assert host.monitored(plan()).server_pid == 77
    assert host.account(plan()) == {"requests": 3}
    host.stop()
    host.stop()
    assert started[0].is_stopped
    assert not started[0].directory.exists()


def test_another_host_in_the_form_is_not_the_embedded_one(started: list[FakeTarget]) -> None:
    environment = fake_environment(user_class("One"), host="")
    host = TargetHost(environment)
    host.url(locust_options())
    environment.host = "http://127.0.0.1:9"
    assert host.url(locust_options()) == "http://127.0.0.1:9"
    assert host.monitored(plan()).server_pid is None
    assert host.account(plan()) is None
    host.stop()


def test_tls_restarts_it_and_its_authority_is_trusted_unless_certificates_do_not_matter(
    started: list[FakeTarget],
) -> None:
    host = TargetHost(fake_environment(user_class("One"), host=""))
    host.url(locust_options())
    options: Any = locust_options(tls=True)
    assert host.url(options) == "https://127.0.0.1:5001/"
    assert [one.is_stopped for one in started] == [True, False]
    assert host.trusted(options, started[1].url).cacert == str(started[1].ca_file)
    assert options.cacert == ""  # those of Locust stay as they are
    with pytest.raises(PlanError, match="--cacert is for a host; the embedded target has an authority of its own"):
        host.trusted(locust_options(tls=True, cacert="ca.pem"), started[1].url)
    careless = locust_options(tls=True, insecure=True)
    assert host.trusted(careless, started[1].url) is careless
    host.stop()
