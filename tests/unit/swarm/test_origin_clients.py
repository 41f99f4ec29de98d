"""A user's clients, one for each origin, over a network without a kernel and over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.swarm.origin_clients import OriginClients
from loadgen.swarm.origin_pools import OriginPools
from loadgen.swarm.scenario_request import Trust
from loadgen.target.behaviour import Behaviour
from loadgen.target.server import TargetServer
from tests.support.client_rig import ClientRig, clients_of_target
from tests.support.row_sink import RowSink
from tests.support.secure_servers import SecureServer, authority, in_turns, secure_server, server_context
from tests.support.target_thread import target_in_thread


@contextmanager
def two_targets(policy: str = "persistent", **values: Any) -> Iterator[tuple[OriginPools, RowSink, list[TargetServer]]]:
    """The pools of a run's target, and a second target beside it."""
    with clients_of_target(policy=policy, **values) as (pool, sink, target), target_in_thread(Behaviour()) as other:
        pools = OriginPools(pool)
        try:
            yield pools, sink, [target, other]
        finally:
            pools.close()


def origin(target: TargetServer) -> str:
    return f"http://127.0.0.1:{target.port}"


@pytest.mark.parametrize(("policy", "connections"), [("persistent", [2, 2]), ("close", [6, 6]), ("pool:1", [1, 1])])
def test_each_origin_has_connections_of_its_own(policy: str, connections: list[int]) -> None:
    with two_targets(policy) as (pools, sink, targets):
        users = [OriginClients(pools), OriginClients(pools)]
        for _ in range(3):
            for user in users:
                for target in targets:
                    assert user.of(origin(target)).call("GET", "/").status == 200
        for user in users:
            user.leave()
        pools.close()
        assert [target.stats()["accepted"] for target in targets] == connections
        assert [target.stats()["requests"] for target in targets] == [6, 6]
        numbers = [row["connection"] for row in sink.connections]
        assert sorted(numbers) == list(range(sum(connections)))
        assert sorted({row["user"] for row in sink.exchanges}) == [0, 1]
        slots = {row["slot"] for row in sink.connections}
        assert len(slots) == (2 if policy == "pool:1" else 4)


def test_users_who_follow_each_other_have_one_number_and_slots_of_their_own() -> None:
    with two_targets() as (pools, sink, targets):
        for _ in range(3):
            user = OriginClients(pools)
            for target in targets:
                user.of(origin(target)).call("GET", "/")
            user.leave()
            user.leave()
        assert {row["user"] for row in sink.exchanges} == {0}
        assert len({row["slot"] for row in sink.connections}) == len(sink.connections) == 6


def test_cookies_go_to_the_host_that_set_them_and_to_no_other() -> None:
    rig = ClientRig()
    clients = OriginClients(OriginPools(rig.pool))
    assert clients.jar is None
    clients.cookies.set("a", "1", domain="h.local", path="/")
    assert clients.jar is clients.cookies
    assert clients.own.user_state.cookies() == "a=1"
    assert clients.of("http://other").user_state.cookies() == ""
    clients.cookies.set("b", "2", domain="other.local", path="/")
    assert clients.of("http://other").user_state.cookies() == "b=2"
    clients.leave()


@pytest.mark.parametrize(("policy", "left_open"), [("persistent", 0), ("h2-prior", 0), ("pool:1", 1)])
def test_closing_closes_what_is_the_user_s_own(policy: str, left_open: int) -> None:
    with clients_of_target(policy=policy) as (pool, sink, _):
        clients = OriginClients(OriginPools(pool))
        assert clients.own.call("GET", "/").status == 200
        clients.close()
        assert len(sink.connections) == 1 - left_open
        assert clients.own.call("GET", "/").reused is bool(left_open)


def test_a_request_trusts_as_it_says_over_connections_of_that_trust(tmp_path: Path) -> None:
    server = SecureServer(in_turns(server_context()))
    with secure_server(server) as url, two_targets("persistent") as (pools, sink, targets):
        clients, there = OriginClients(pools), url.rstrip("/")
        authority().cert_pem.write_to_path(str(file := tmp_path / "ca.pem"))
        ways = [None, Trust(False, None), Trust(str(file), None), Trust(False, None), None]
        found = [clients.of(there, trust).call("GET", "/") for trust in ways]
        assert clients.of(origin(targets[0])).call("GET", "/").status == 200  # http beside https
        errors = [one.error for one in found]
        assert errors == [ErrorKind.TLS_UNTRUSTED, None, None, None, ErrorKind.TLS_UNTRUSTED]
        assert [one.reused for one in found[1:4]] == [False, False, True]
        assert len({one.connection for one in found}) == 4
        clients.leave()
    assert len(sink.connections) == 5
