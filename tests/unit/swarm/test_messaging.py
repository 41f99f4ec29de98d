"""Messages over Locust's runner: who takes part, and how a worker of another version is refused."""

from __future__ import annotations

import gevent
import pytest

import loadgen
import loadgen.swarm.messages as messages
from loadgen.swarm.messaging import MessageChannel, Role
from tests.support.fake_swarm import FakeRunner

OWN = {"version": loadgen.__version__}


def master(**clients: str) -> tuple[MessageChannel, FakeRunner, list[str]]:
    runner, joined = FakeRunner(clients), list[str]()
    channel = MessageChannel(runner, Role.MASTER)
    channel.worker_joined = joined.append
    channel.announce()
    return channel, runner, joined


def test_a_worker_of_the_same_version_takes_part() -> None:
    channel, runner, joined = master(a="ready", b="ready")
    assert list(channel.workers()) == []
    runner.receive(messages.HELLO, "b", OWN)
    assert (list(channel.workers()), joined) == (["b"], ["b"])


def test_a_missing_worker_takes_no_part_until_it_is_back() -> None:
    channel, runner, _ = master(a="ready")
    runner.receive(messages.HELLO, "a", OWN)
    runner.clients["a"].state = "missing"
    assert list(channel.workers()) == []
    runner.clients["a"].state = "running"
    assert list(channel.workers()) == ["a"]


def test_a_worker_of_another_version_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    channel, runner, joined = master(a="ready", old="ready")
    runner.receive(messages.HELLO, "old", {"version": "0.0.9"})
    message = f"worker 1 (old) has loadgen 0.0.9, the master {loadgen.__version__}; install the same version on both"
    assert runner.sent == [(messages.WORKER_REFUSED, {"message": message}, "old")]
    assert message in caplog.text
    assert list(runner.clients) == ["a"]  # Locust gives it no users
    assert joined == []
    assert list(channel.workers()) == []


def test_a_refused_worker_says_why_and_quits(caplog: pytest.LogCaptureFixture) -> None:
    runner = FakeRunner()
    MessageChannel(runner, Role.WORKER).announce()
    assert runner.sent == [(messages.HELLO, OWN)]
    runner.receive(messages.WORKER_REFUSED, "master", {"message": "install the same version on both"})
    gevent.idle()
    assert runner.calls == ["quit"]
    assert runner.environment.process_exit_code == 2
    assert "install the same version on both" in caplog.text


def test_a_local_runner_is_its_own_worker() -> None:
    runner = FakeRunner()
    channel = MessageChannel(runner, Role.LOCAL)
    channel.announce()
    heard = []
    channel.listen("kind", lambda sender, data: heard.append((sender, data)))
    assert (channel.is_local, list(channel.workers()), runner.sent) == (True, ["local"], [])
    channel.send_to_worker("order", {"run": "r"}, "local")
    channel.send_to_coordinator("answer", {"run": "r"})
    assert runner.sent == [("order", {"run": "r"}, "local"), ("answer", {"run": "r"})]
    runner.receive("kind", "local", {"x": 1})
    assert heard == [("local", {"x": 1})]
