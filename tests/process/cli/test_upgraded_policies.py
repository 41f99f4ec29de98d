"""WebSocket and HTTP/2 under connection policies: the embedded target counts the same; and servers that misbehave."""

from __future__ import annotations

import math
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.processes import HELLO, compare, read_request, scripted_server
from tests.support.runs import BLOCKS, USERS, SharedRun, Start, run, run_unchecked
from tests.support.upgrade_servers import CLOSE, Http2Side, WebSocketSide, switching, ws_frame

PER_CONNECTION = {
    "websocket": None,
    "websocket-close": 1,
    "websocket+recycle:5": 5,
    "websocket+pool:2": None,
    "websocket+abandon": 1,
    "websocket+lifetime:20ms": None,
    "h2": None,
    "h2+close": 1,
    "h2+recycle:5": 5,
    "h2+streams:4": None,
    "h2+streams:4+recycle:10": 10,
    "h2+pool:2": None,
    "h2+pool:2+streams:3": None,
    "h2+pool:1+streams:3+recycle:7": 7,
    "h2+abandon": 1,
    "h2+coalesce": None,
    "h2+coalesce+recycle:20": 20,
    "h2-prior": None,
    "h2c-upgrade": None,
    "h2c-upgrade+close": 1,
    "h2c-upgrade+streams:3": None,
    "h2c-upgrade+pool:2+streams:3": None,
}


def spoken_by(policy: str) -> str:
    """The protocol as the target names it."""
    return "websocket" if "websocket" in policy else "h2c" if "h2c" in policy else "h2"


@pytest.fixture(scope="module")
def upgraded(share_target: Start, tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    return SharedRun(share_target(), tmp_path_factory.mktemp("upgraded"), list(PER_CONNECTION))


def test_the_target_counts_the_same_of_every_protocol(upgraded: SharedRun) -> None:
    upgraded.check_counts()
    opened: dict[str, int] = dict.fromkeys(upgraded.account["protocols"], 0)
    for policy in PER_CONNECTION:
        opened[spoken_by(policy)] += upgraded[policy]["connections"]["opened"]
    assert upgraded.account["protocols"] == opened
    carried = {int(size) for size in upgraded.account["requests_per_connection"]}
    assert carried >= {limit for limit in PER_CONNECTION.values() if limit}


@pytest.mark.parametrize(("policy", "per_connection"), PER_CONNECTION.items())
def test_an_upgraded_connection_serves_what_the_policy_says(
    upgraded: SharedRun, policy: str, per_connection: int | None
) -> None:
    one, rows = upgraded[policy], upgraded.rows(policy)
    assert (one["errors"], one["unfinished"]) == ({}, 0)
    links = one["connections"]
    assert (links["upgraded"], links["upgrade_declined"]) == (links["opened"], 0)
    if per_connection is None:
        assert links["requests_per_connection"] > 5
    else:
        assert upgraded.longest(policy) == per_connection
        assert math.ceil(links["exchanges_with_warmup"] / per_connection) <= links["opened"]
    # By prior knowledge nothing is upgraded: the first request goes with the preface.
    paid = rows["upgrade"] >= 0
    assert np.array_equal(paid, (rows["nth_on_connection"] == 0) & (spoken_by(policy) != "h2"))
    # A close handshake, or a GOAWAY, is the client's announcement; one that abandons says nothing.
    silent = "abandon" in policy
    assert links["endings"].keys() == {"client_silent" if silent else "client_announced"}


def test_all_users_share_one_connection(upgraded: SharedRun) -> None:
    connections = upgraded["h2+coalesce"]["connections"]
    assert connections["opened"] == connections["ideal"] == BLOCKS
    assert set(upgraded.rows("h2+coalesce")["user"].tolist()) == set(range(USERS))


def test_each_process_has_one_connection_for_its_users(share_target: Start, tmp_path: Path) -> None:
    one = run(share_target(), tmp_path, "h2-prior+coalesce", "--processes", "2", "--rounds", "1")
    assert one["connections"]["opened"] == one["connections"]["ideal"] == 2


def test_users_share_the_streams_of_a_pool(share_target: Start, tmp_path: Path) -> None:
    # Four users on one connection of two streams, each stream answered after 15 ms: half of them wait in turn.
    one = run(share_target("--delay", "15ms"), tmp_path, "h2+pool:1+streams:2")
    assert one["connections"]["opened"] == one["connections"]["ideal"] == BLOCKS
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        assert set(samples["user"].tolist()) == set(range(USERS))
        begun = samples["scheduled"].astype(np.int64) + np.maximum(samples["queue"].astype(np.int64), 0)
        ended = begun + samples["wait"].astype(np.int64)
        queue = samples["queue"].astype(np.int64)
    at_once = [int(np.count_nonzero((begun <= moment) & (moment < ended))) for moment in begun.tolist()]
    assert max(at_once) == 2
    assert np.count_nonzero(queue > 0) > 0.8 * len(queue)
    assert 14_000_000 < np.median(queue[queue > 0]) < 36_000_000


def test_a_stream_waits_where_the_server_allows_fewer(share_target: Start, tmp_path: Path) -> None:
    one = run(share_target("--delay", "15ms", "--max-streams", "1"), tmp_path, "h2+streams:3")
    assert one["errors"] == {}
    # Two of three wait: for one response, or for two.
    assert one["phases_ns"]["queue"]["count"] > 0.8 * one["requests"]
    assert one["phases_ns"]["queue"]["p50"] > 14_000_000
    # Were the time in the queue a part of it, it would be the longer one.
    assert one["phases_ns"]["wait"]["p50"] < 1.2 * one["phases_ns"]["queue"]["p50"]


def test_a_server_that_declines_is_counted_and_served_in_http_1_1(share_target: Start, tmp_path: Path) -> None:
    policies = ["h2c-upgrade", "h2c-upgrade+streams:3", "h2c-upgrade+close"]
    run = SharedRun(share_target("--decline", "h2c"), tmp_path, policies)
    run.check_counts()
    for policy in policies:
        one = run[policy]
        assert one["errors"] == {}
        links = one["connections"]
        assert (links["upgraded"], links["upgrade_declined"]) == (0, links["opened"])
        assert one["phases_ns"]["upgrade"]["count"] == 0
        assert one["requests"] > 20


def test_one_comparison_over_every_protocol(share_target: Start, tmp_path: Path) -> None:
    names = ["close", "persistent", "h2c-upgrade", "h2", "websocket", "websocket-close", "h2+streams:10"]
    target = share_target()
    summary = compare(target.url, tmp_path / "run", "--users", "4", "--policies", ",".join(names))
    assert list(summary["policies"]) == names
    for one in summary["policies"].values():
        assert one["requests"] > 10
        assert one["started"] == one["requests"] + one["unfinished"]
    account = target.stats()
    opened = sum(one["connections"]["opened"] for one in summary["policies"].values())
    assert (account["accepted"], sum(account["protocols"].values())) == (opened, opened)


def test_over_tls_http_2_is_agreed_on_by_alpn(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--tls")
    names = ["h2", "h2+close", "websocket", "persistent"]
    trust = ["--cacert", str(target.ca_file)]
    summary = compare(target.url, tmp_path / "run", "--users", "4", "--policies", ",".join(names), *trust)
    for name in names:
        links = summary["policies"][name]["connections"]
        assert summary["policies"][name]["errors"] == {}
        assert links["upgraded"] == (0 if name == "persistent" else links["opened"])
        assert links["tls_full"] == links["opened"]
        upgrades = summary["policies"][name]["phases_ns"]["upgrade"]["count"]
        assert upgrades == 0 or name == "websocket"
    declining = share_target("--tls", "--decline", "h2")
    trust = ["--cacert", str(declining.ca_file)]
    one = compare(declining.url, tmp_path / "no", "--users", "4", "--policies", "h2", *trust)["policies"]["h2"]
    assert (one["errors"], one["connections"]["upgrade_declined"]) == ({}, one["connections"]["opened"])


# Servers that end a shared connection


def test_nobody_is_put_on_a_connection_that_takes_no_more(share_target: Start, tmp_path: Path) -> None:
    """After GOAWAY the others find another one; only who was under way is turned away."""
    policies = ["h2+pool:2+streams:5", "h2+streams:5"]
    run = SharedRun(share_target("--close-after", "5"), tmp_path, policies, "--block", "200ms")
    for policy in policies:
        assert run[policy]["errors"].keys() <= {"http2_goaway"}
        assert run[policy]["requests"] > 100
    links = [run[policy]["connections"] for policy in policies]
    assert run.account["accepted"] == sum(one["opened"] for one in links)
    assert run.account["requests"] == sum(one["exchanges_with_warmup"] for one in links)


def test_streams_that_a_goaway_left_out_are_sent_once_more(share_target: Start, tmp_path: Path) -> None:
    """Whatever the method (RFC 9113 §8.7); and a GOAWAY between requests is no error at all."""
    policies = ["h2", "h2+streams:5", "h2+pool:2+streams:5"]
    more = ("--retry-stale", "--method", "POST", "--data", "hello", "--block", "200ms")
    run = SharedRun(share_target("--close-after", "7"), tmp_path, policies, *more)
    assert run["h2"]["errors"] == {}
    for policy in policies[1:]:
        one = run[policy]
        assert set(one["errors"]) == {"http2_goaway"}
        assert one["connections"]["retried"] >= one["errors"]["http2_goaway"] > 10
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    links = [run[policy]["connections"] for policy in policies]
    assert run.account["accepted"] == sum(one["opened"] for one in links)
    assert run.account["requests"] == sum(one["exchanges_with_warmup"] for one in links)


def test_a_shared_connection_that_dies_takes_nobody_with_it(share_target: Start, tmp_path: Path) -> None:
    policies = ["h2+pool:2+streams:5", "h2+pool:1+streams:8", "h2+streams:5"]
    run = SharedRun(share_target("--close-after", "5", "--silent"), tmp_path, policies, "--block", "200ms")
    for policy in policies:
        one = run[policy]
        assert one["requests"] > 100
        assert one["errors"].keys() <= {"stale_connection", "closed_without_response"}
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
        assert sum(one["connections"]["endings"].values()) == one["connections"]["opened"]
    assert run.account["accepted"] == sum(run[policy]["connections"]["opened"] for policy in policies)


@pytest.mark.parametrize("limit", ["recycle:4", "lifetime:50ms"])
def test_a_place_whose_last_stream_fails_alone_is_used_again(tmp_path: Path, limit: str) -> None:
    """The first stream of each connection is never answered: it is given up last, on a connection that is spent."""

    def script(connection: socket.socket, number: int) -> None:
        side = Http2Side(connection)
        side.settings()
        for stream in side.streams():
            if stream > 1 or number == 0:
                side.answer(stream)

    with scripted_server(script) as port:
        policy = f"h2-prior+pool:1+streams:4+{limit}"
        more = ("--users", "4", "--policies", policy, "--timeout", "200ms", "--rounds", "1", "--block", "1500ms")
        one = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *more)["policies"][policy]
    assert one["connections"]["opened"] > 4
    assert one["requests"] > 6
    assert "response_timeout" in one["errors"]
    assert one["errors"].keys() <= {"response_timeout", "http2_settings_timeout"}  # this server may be slow itself


# Who closes, and who was asked to


def test_after_a_decline_the_last_request_announces_the_close(share_target: Start, tmp_path: Path) -> None:
    policies = ["h2c-upgrade+recycle:4", "h2c-upgrade+streams:2+recycle:6"]
    run = SharedRun(share_target("--decline", "h2c"), tmp_path / "declined", policies)
    run.check_counts()
    ignoring = SharedRun(share_target("--decline", "h2c", "--ignore-close"), tmp_path / "ignoring", policies)
    for policy in policies:
        links = run[policy]["connections"]
        # Those that a block's end cut short had no last request.
        assert links["endings"]["client_announced"] >= links["opened"] - USERS * BLOCKS
        assert links["endings"].keys() <= {"client_announced", "client_silent"}
        links = ignoring[policy]["connections"]
        assert links["server_ignored_close"] >= links["opened"] - USERS * BLOCKS


def test_over_tls_the_first_request_may_announce_it_too(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--tls", "--decline", "h2")
    one = run_unchecked(target, tmp_path, "h2+close", "--cacert", str(target.ca_file))
    assert one["connections"]["endings"] == {"client_announced": one["connections"]["opened"]}


def test_a_far_server_has_time_to_answer_the_close(tmp_path: Path) -> None:
    """Each way takes longer than the shortest grace."""

    def script(connection: socket.socket, _number: int) -> None:
        head = read_request(connection)
        time.sleep(0.03)
        connection.sendall(switching(head) if b"pgrade:" in head else HELLO)
        side = WebSocketSide(connection)
        for opcode, payload in side.frames():
            time.sleep(0.03)
            side.say(ws_frame(opcode, payload))
            if opcode == CLOSE:
                return

    with scripted_server(script) as port:
        names = "websocket-close,websocket"
        policies = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", "--users", "3", "--policies", names)[
            "policies"
        ]
    for one in policies.values():
        assert one["requests"] > 3
        assert one["connections"]["server_ignored_close"] == 0
        assert one["connections"]["endings"].keys() == {"client_announced"}


def test_a_server_that_leaves_the_close_unanswered_is_told(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.sendall(switching(read_request(connection)))
        side = WebSocketSide(connection)
        for opcode, payload in side.frames():
            if opcode != CLOSE:
                side.say(ws_frame(opcode, payload))

    with scripted_server(script) as port:
        summary = compare(
            f"http://127.0.0.1:{port}/", tmp_path / "run", "--users", "3", "--policies", "websocket-close"
        )
    links = summary["policies"]["websocket-close"]["connections"]
    assert links["server_ignored_close"] == links["opened"] > 20


@pytest.mark.parametrize("seed", ["1", "5"])
def test_a_protocol_that_a_server_hangs_up_on_ends_no_run(tmp_path: Path, seed: str) -> None:
    """Whichever of the policies comes first."""

    def script(connection: socket.socket, _number: int) -> None:
        while b"\r\nUpgrade:" not in (head := read_request(connection)) and head:
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        more: tuple[Any, ...] = ("--users", "2", "--policies", "persistent,websocket", "--seed", seed)
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *more)
    assert summary["policies"]["persistent"]["requests"] > 100
    assert summary["policies"]["websocket"]["errors"].keys() == {"closed_without_response"}
