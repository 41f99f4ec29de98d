"""Replicas of the embedded target: one server an address, each of which says who it is; the last one comes and goes."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from loadgen.model.exceptions import PlanError
from loadgen.target.behaviour import Behaviour
from loadgen.target.replicas import Replicas, replica_addresses

MS = 1_000_000


class FakeServer:
    """Notes who serves."""

    serving: list[str]

    def __init__(self, address: str, port: int, behaviour: Behaviour, tls_context: Any) -> None:
        assert tls_context is None
        self.port = port or 4711
        self._address = address
        assert behaviour.replica in ("", address)
        type(self).serving.append(f"{address}:{self.port} {behaviour.replica}".strip())

    def close(self) -> None:
        self.serving[:] = [one for one in self.serving if not one.startswith(f"{self._address}:")]


@pytest.fixture
def server() -> type[FakeServer]:
    return type("OneTestsServer", (FakeServer,), {"serving": []})


def test_their_addresses_follow_each_other() -> None:
    assert replica_addresses("127.0.0.1", 3) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert replica_addresses("unix:/run/a", 1) == ["unix:/run/a"]
    for host, replicas, complaint in (("localhost", 2, "'localhost' is none"), ("::1", 0, "from 1 to 100")):
        with pytest.raises(PlanError, match=complaint):
            replica_addresses(host, replicas)


def test_all_have_one_port_and_say_who_they_are(server: type[FakeServer]) -> None:
    replicas = Replicas(["127.0.0.1", "127.0.0.2"], 0, Behaviour(), serve=server)  # type: ignore[arg-type] # as one
    assert server.serving == ["127.0.0.1:4711 127.0.0.1", "127.0.0.2:4711 127.0.0.2"]
    replicas.close()
    assert server.serving == []


def test_one_alone_has_no_such_field(server: type[FakeServer]) -> None:
    Replicas(["127.0.0.1"], 0, Behaviour(), until_ns=1, serve=server)  # type: ignore[arg-type] # as one
    assert server.serving == ["127.0.0.1:4711"]


@pytest.mark.parametrize(("from_ns", "until_ns", "before", "after"), [(MS, 0, 1, 2), (0, MS, 2, 1)])
def test_the_last_one_comes_or_goes(
    server: type[FakeServer], from_ns: int, until_ns: int, before: int, after: int
) -> None:
    addresses = ["127.0.0.1", "127.0.0.2"]
    replicas = Replicas(addresses, 0, Behaviour(), None, from_ns, until_ns, serve=server)  # type: ignore[arg-type]
    assert len(server.serving) == before
    gevent.joinall(replicas._timers)
    assert len(server.serving) == after
    replicas.close()
    assert server.serving == []
