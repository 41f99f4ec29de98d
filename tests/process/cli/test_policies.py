"""Every connection policy on real sockets, checked against the target's own account of connections and requests."""

from __future__ import annotations

import json
import math
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.support.processes import (
    BYE,
    HELLO,
    compare,
    loadgen,
    lose_the_third,
    read_request,
    reset_at_close,
    scripted_server,
)
from tests.support.runs import BLOCKS, USERS, SharedRun, Start, run, run_unchecked

LIMITS = (1, 2, 10, 100)
RATE = 50
PLAIN = [
    *(f"recycle:{limit}" for limit in LIMITS),
    *(f"recycle:{limit}+abandon" for limit in LIMITS),
    *("recycle:inf", "lifetime:30ms", "gap:10ms", "pool:2+close", "http10", "http10-keepalive"),
    "pipeline:3+recycle:10",
    "gap:20ms+max-idle:10ms",
    "preopen:3",
    f"close+connect-rate:{RATE}",
]


@pytest.fixture(scope="module")
def plain(share_target: Start, tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    """The policies that need nothing special of the target, in one run; blocks of 200 ms."""
    run = SharedRun(share_target(), tmp_path_factory.mktemp("plain"), PLAIN, "--block", "200ms")
    run.check_counts()
    return run


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("suffix", ["", "+abandon"])
def test_recycling_opens_what_arithmetic_says(plain: SharedRun, limit: int, suffix: str) -> None:
    policy = f"recycle:{limit}{suffix}"
    connections = plain[policy]["connections"]
    # Every connection carries K requests, but for the last one of each user in each block.
    assert plain.longest(policy) == limit
    requests, opened = connections["exchanges_with_warmup"], connections["opened"]
    assert math.ceil(requests / limit) <= opened <= requests / limit + USERS * BLOCKS
    ending = "client_silent" if suffix else "client_announced"
    assert connections["endings"][ending] >= opened - USERS * BLOCKS


def test_recycling_ends_where_the_target_counts_it(plain: SharedRun) -> None:
    """In the target's own account: connections of one of the limits, of a user's last in a block, or without end."""
    carried = {int(size): count for size, count in plain.account["requests_per_connection"].items()}
    for limit in LIMITS:
        full = sum(plain[f"recycle:{limit}{suffix}"]["connections"]["opened"] for suffix in ("", "+abandon"))
        assert carried[limit] >= full - 2 * USERS * BLOCKS
    odd = sum(count for size, count in carried.items() if size < max(LIMITS) and size not in LIMITS)
    lived_shorter = plain["lifetime:30ms"]["connections"]["opened"] + plain["gap:10ms"]["connections"]["opened"]
    assert odd <= 10 * USERS * BLOCKS + lived_shorter


def test_recycling_without_end_is_persistent(plain: SharedRun) -> None:
    connections = plain["recycle:inf"]["connections"]
    assert connections["opened"] == connections["ideal"] == USERS * BLOCKS
    assert connections["reuse_ratio"] == 1.0


def test_a_recycled_pipeline(plain: SharedRun) -> None:
    one = plain["pipeline:3+recycle:10"]
    assert plain.longest("pipeline:3+recycle:10") == 10
    requests, opened = one["connections"]["exchanges_with_warmup"], one["connections"]["opened"]
    assert math.ceil(requests / 10) <= opened <= requests / 10 + USERS * BLOCKS
    assert one["errors"] == {}


def test_no_request_begins_on_a_connection_that_is_too_old(plain: SharedRun) -> None:
    connections, rows = plain["lifetime:30ms"]["connections"], plain.rows("lifetime:30ms")
    number, scheduled = rows["connection"].astype(np.int64), rows["scheduled"].astype(np.int64)
    assert max(np.ptp(scheduled[number == one]) for one in np.unique(number)) < 31_000_000
    # Blocks of 200 ms.
    assert USERS * BLOCKS * 4 <= connections["opened"] <= USERS * BLOCKS * 8
    assert connections["endings"] == {"client_silent": connections["opened"]}


def test_a_connection_rests_before_it_is_used_again(plain: SharedRun) -> None:
    assert plain["gap:10ms"]["connections"]["opened"] == USERS * BLOCKS
    rows = plain.rows("gap:10ms")
    order = np.lexsort((rows["scheduled"], rows["connection"]))
    number, scheduled = rows["connection"][order], rows["scheduled"][order].astype(np.int64)
    gaps = np.diff(scheduled)[np.diff(number.astype(np.int64)) == 0]
    assert len(gaps) > 20
    assert gaps.min() >= 10_000_000


def test_a_connection_that_was_unused_for_too_long_is_not_used_again(plain: SharedRun) -> None:
    connections = plain["gap:20ms+max-idle:10ms"]["connections"]
    assert connections["opened"] == connections["exchanges_with_warmup"] > 2 * USERS * BLOCKS
    assert connections["endings"] == {"client_silent": connections["opened"]}


def test_preopened_connections_are_those_of_the_block(plain: SharedRun) -> None:
    connections = plain["preopen:3"]["connections"]
    assert connections["opened"] == connections["ideal"] == USERS * BLOCKS
    assert plain["preopen:3"]["errors"] == {}


def test_connections_are_opened_at_most_at_the_rate(plain: SharedRun) -> None:
    one, rows = plain[f"close+connect-rate:{RATE}"], plain.rows(f"close+connect-rate:{RATE}")
    # Blocks of 200 ms; at the end of each, requests that wait have 100 ms more.
    most = RATE * 0.3 + 1
    assert USERS * BLOCKS < one["connections"]["opened"] <= most * BLOCKS
    began = np.sort(rows["scheduled"].astype(np.int64) + np.maximum(rows["queue"].astype(np.int64), 0))
    assert len(began) > 5
    # A timer may be late, and the next connection is not.
    assert 0.7e9 / RATE < np.median(np.diff(began)) < 1.5e9 / RATE
    assert np.median(rows["queue"]) > 1e9 / RATE
    assert one["errors"] == {}


def test_pool_connections_may_be_new_each_time(plain: SharedRun) -> None:
    connections = plain["pool:2+close"]["connections"]
    assert connections["requests_per_connection"] == 1.0
    assert connections["ideal"] == 2 * BLOCKS


@pytest.mark.parametrize(("policy", "per_connection"), [("http10", 1), ("http10-keepalive", None)])
def test_http_1_0(plain: SharedRun, policy: str, per_connection: int | None) -> None:
    one = plain[policy]
    assert one["errors"] == {}
    if per_connection:
        assert plain.longest(policy) == 1
        assert one["connections"]["requests_per_connection"] == 1.0
    else:
        assert one["connections"]["opened"] == USERS * BLOCKS
        assert one["connections"]["requests_per_connection"] > 10


def test_a_pool_is_shared_and_waiting_is_queue(share_target: Start, tmp_path: Path) -> None:
    run = SharedRun(share_target("--delay", "2ms"), tmp_path, ["pool:2:lifo", "pool:2:fifo"], "--block", "200ms")
    run.check_counts()
    for policy in run.summary["policies"]:
        connections, rows = run[policy]["connections"], run.rows(policy)
        assert connections["opened"] == connections["ideal"] == 2 * BLOCKS
        assert set(rows["user"].tolist()) == set(range(USERS))
        assert len({*zip(rows["connection"].tolist(), rows["user"].tolist(), strict=True)}) > 2 * BLOCKS
        # Four users on two connections: who waits, waits for one response of 2 ms.
        queue = rows["queue"]
        assert np.count_nonzero(queue > 0) > 0.8 * len(queue)
        assert 1_500_000 < np.median(queue[queue > 0]) < 6_000_000


def test_the_order_of_a_pool_decides_which_connection_is_used(share_target: Start, tmp_path: Path) -> None:
    arguments = ["--think", "5ms", "--block", "500ms", "--warmup", "1ms", "--rounds", "1", "--users", "6"]
    run = SharedRun(share_target(), tmp_path, ["pool:6:lifo", "pool:6:fifo"], *arguments)
    for policy, pick in (("pool:6:lifo", max), ("pool:6:fifo", min)):
        columns = run.rows(policy)
        parts = ("queue", "connect", "send", "wait", "receive", "own")
        lasted = sum(np.maximum(columns[part].astype(np.int64), 0) for part in parts)
        begun = columns["scheduled"].astype(np.int64)
        rows = sorted(zip(begun.tolist(), (begun + lasted).tolist(), columns["connection"].tolist(), strict=True))
        ended: dict[int, int] = {}
        right = wrong = 0
        for begin, end, number in rows:
            idle = [one for one, at in ended.items() if at < begin]
            if number in ended and len(idle) > 1:
                if number == pick(idle, key=ended.__getitem__):
                    right += 1
                else:
                    wrong += 1
            ended[number] = end
        assert right > 50, policy
        assert wrong < 0.1 * right, policy


@pytest.mark.parametrize("limits", [["--close-after", "7"], ["--close-after", "7", "--silent"]])
def test_closes_over_tls_are_the_servers(share_target: Start, tmp_path: Path, limits: list[str]) -> None:
    policies = ["persistent", "pipeline:4", "pool:2", "ignore-close"]
    run = SharedRun(share_target("--tls", *limits), tmp_path, policies, "--block", "200ms")
    for policy in policies:
        assert set(run[policy]["errors"]) <= {"stale_connection", "truncated"}, policy
        endings = run[policy]["connections"]["endings"]
        assert sum(count for ending, count in endings.items() if ending.startswith("server_")) > 10, policy
        assert "client_gave_up" not in endings, policy


def test_the_last_request_announces_the_close(tmp_path: Path) -> None:
    options: list[tuple[bytes, ...]] = []

    def script(connection: socket.socket, _number: int) -> None:
        seen = []
        while request := read_request(connection):
            field = next((line for line in request.split(b"\r\n") if line.startswith(b"Connection: ")), b"")
            seen.append(field[12:])
            connection.sendall(HELLO)
        options.append(tuple(seen))

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        for policy in ("recycle:3", "abandon", "http10", "http10-keepalive"):
            options.clear()
            compare(url, tmp_path / policy.replace(":", ""), "--users", "1", "--policies", policy)
            whole = {
                "recycle:3": (b"keep-alive", b"keep-alive", b"close"),
                "abandon": (b"keep-alive",),
                "http10": (b"",),
                "http10-keepalive": (b"keep-alive",) * 5,
            }[policy]
            assert sum(seen[: len(whole)] == whole for seen in options) >= len(options) - 3, policy


def test_a_pipeline_keeps_requests_in_flight(share_target: Start, tmp_path: Path) -> None:
    # One response in 10 ms on each connection: with four in flight each waits behind three. On a busy machine the user
    # sends again late, while the next response is under way, so that the median may be that of two.
    one = run(share_target("--delay", "10ms"), tmp_path, "pipeline:4")
    assert one["connections"]["opened"] == USERS * BLOCKS
    queue, wait = one["phases_ns"]["queue"], one["phases_ns"]["wait"]
    assert queue["count"] > 0.7 * one["requests"]
    assert 1.5 * wait["p50"] < queue["p50"] < 5 * wait["p50"]


def test_a_pipeline_ends_where_the_server_ends_it(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--close-after", "5")
    summary = compare(target.url, tmp_path / "run", "--users", "2", "--policies", "pipeline:4")
    one = summary["policies"]["pipeline:4"]
    assert set(one["errors"]) == {"stale_connection"}
    assert max(int(size) for size in target.stats()["requests_per_connection"]) == 5
    # Of eight requests sent the server answers five.
    assert 0.2 < one["errors"]["stale_connection"] / one["started"] < 0.5
    assert one["connections"]["endings"]["server_announced"] > 10


def test_each_connection_looks_the_name_up(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    target.url = target.url.replace("127.0.0.1", "localhost")
    one = run(target, tmp_path, "resolve")
    assert one["phases_ns"]["dns"]["count"] == one["phases_ns"]["connect"]["count"] == one["requests"]
    assert one["connections"]["requests_per_connection"] == 1.0


def test_a_resumed_session_belongs_to_the_user(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--tls")
    summary = compare(
        target.url, tmp_path / "run", "--users", "3", "--policies", "recycle:4+resume", "--cacert", str(target.ca_file)
    )
    connections = summary["policies"]["recycle:4+resume"]["connections"]
    assert connections["tls_full"] == 3 * BLOCKS
    assert connections["tls_resumed"] == connections["opened"] - 3 * BLOCKS > 20


def test_a_pipeline_that_grew_too_old_while_its_user_thought(share_target: Start, tmp_path: Path) -> None:
    arguments = ["--think", "20ms", "--block", "500ms"]
    one = run(share_target(), tmp_path, "pipeline:4+lifetime:50ms", *arguments)
    assert one["requests"] > 100
    # Every 50 ms a new connection, in blocks of 500 ms.
    assert USERS * BLOCKS * 4 <= one["connections"]["opened"] <= USERS * BLOCKS * 11


def test_a_slot_that_lost_its_connection_is_taken_last(tmp_path: Path) -> None:
    """Connections of one request and of many in one pool: who is idle and open is used before a new one is opened."""

    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            connection.sendall(BYE if number % 3 == 0 else HELLO)
            if number % 3 == 0:
                return

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        arguments = ["--users", "6", "--policies", "pool:6", "--think", "3ms", "--rounds", "1"]
        one = compare(url, tmp_path / "run", *arguments)["policies"]["pool:6"]
    # Two of three connections stay; once they are there, hardly one more is needed.
    assert one["connections"]["opened"] < max(15, 0.1 * one["connections"]["exchanges_with_warmup"])


def test_the_users_own_cookie_field_is_the_only_one(tmp_path: Path) -> None:
    seen = set()

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            seen.add(tuple(line for line in request.split(b"\r\n") if line.lower().startswith(b"cookie")))
            connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: given=1\r\n\r\n", 1))

    with scripted_server(script) as port:
        compare(f"http://127.0.0.1:{port}/", tmp_path / "run", "--users", "2", "-H", "Cookie: mine=1")
    assert seen == {(b"Cookie: mine=1",)}


def test_cookies_do_not_end_a_pipeline(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        data = b""
        while more := connection.recv(65536):
            data += more
            while b"\r\n\r\n" in data:
                _, _, data = data.partition(b"\r\n\r\n")
                connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: given=1\r\n\r\n", 1))

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        arguments = ["--users", "2", "--policies", "pipeline:4", "--think", "5ms"]
        one = compare(url, tmp_path / "run", *arguments)["policies"]["pipeline:4"]
    assert one["connections"]["opened"] == one["connections"]["ideal"] == 2 * BLOCKS


# What servers do


def test_a_client_that_ignores_close_finds_out(share_target: Start, tmp_path: Path) -> None:
    """The server announces the close and does it: nothing sent after that is answered."""
    target = share_target("--close-after", "3")
    summary = compare(target.url, tmp_path / "run", "--users", "2", "--policies", "ignore-close")
    one = summary["policies"]["ignore-close"]
    after = one["connections"]["after_close"]
    assert after["tried"] > 20
    assert after["answered"] == 0
    assert set(one["errors"]) == {"stale_connection"}
    stale = one["connections"]["endings"]["server_stale"]
    assert after["tried"] - 2 * BLOCKS <= stale <= after["tried"]
    # The target's own count knows nothing of what was sent onto closed connections.
    assert target.stats()["requests"] == one["connections"]["exchanges_with_warmup"]


def test_a_client_that_ignores_close_finds_a_server_that_only_talks(tmp_path: Path) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(BYE)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        summary = compare(url, tmp_path / "run", "--users", "2", "--policies", "persistent,ignore-close")
    ignoring, persistent = (summary["policies"][name] for name in ("ignore-close", "persistent"))
    after = ignoring["connections"]["after_close"]
    assert after["tried"] == after["answered"] > 20
    assert ignoring["connections"]["opened"] == 2 * BLOCKS
    # Who honours it opens a connection for each request.
    assert persistent["connections"]["requests_per_connection"] == 1.0
    assert set(persistent["connections"]["endings"]) == {"server_announced"}


def test_a_server_that_closes_silently_after_k(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--close-after", "5", "--silent")
    one = run_unchecked(target, tmp_path, "persistent")
    endings = one["connections"]["endings"]
    # Its FIN comes with the response or after the next request: lost while idle, or stale.
    assert endings.get("server_idle_fin", 0) + endings.get("server_stale", 0) > 20
    assert "server_announced" not in endings
    assert set(one["errors"]) <= {"stale_connection"}
    assert one["connections"]["requests_per_connection"] <= 5
    assert one["connections"]["server_announced"] == {"keep_alive_timeout_s": None, "keep_alive_max": None}


def test_what_the_server_announces_is_noted_from_the_first_response(share_target: Start, tmp_path: Path) -> None:
    policies = ["persistent", "pipeline:2", "pool:1", "http10-keepalive"]
    run = SharedRun(share_target("--close-after", "5", "--idle-timeout", "3s"), tmp_path, policies)
    for policy in policies:
        announced = run[policy]["connections"]["server_announced"]
        assert announced == {"keep_alive_timeout_s": 3, "keep_alive_max": 4}, policy


IDLERS = 24
GAPS = {"200ms": "none", "305ms": "some", "400ms": "all"}


@pytest.fixture(scope="module")
def gaps(share_target: Start, tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    """Gaps around the target's idle timeout of 300 ms; clients that look before they send, and those that do not."""
    policies = [f"{policy}:{gap}" for policy in ("gap", "ignore-close+gap") for gap in GAPS]
    # At the end of the block no gap has come near the timeout.
    arguments = ["--block", "1250ms", "--warmup", "100ms", "--users", f"{IDLERS}", "--rounds", "1"]
    target = share_target("--idle-timeout", "300ms", "--silent")
    return SharedRun(target, tmp_path_factory.mktemp("gaps"), policies, *arguments)


@pytest.mark.parametrize(("gap", "expected"), GAPS.items())
@pytest.mark.parametrize("policy", ["gap", "ignore-close+gap"])
def test_gaps_around_the_servers_timeout(gaps: SharedRun, gap: str, expected: str, policy: str) -> None:
    """Who looks before it sends reconnects; who does not, sends onto connections that are gone."""
    connections = gaps[f"{policy}:{gap}"]["connections"]
    gone = sum(connections["endings"].get(ending, 0) for ending in ("server_idle_fin", "server_stale"))
    # After every answer comes a gap, but for the last one of each user in the block.
    share = gone / (connections["exchanges_with_warmup"] - IDLERS)
    if expected == "none":
        assert share < 0.02  # 100 ms are little where the machine is busy with something else
    elif expected == "all":
        assert share > 0.95
    else:
        assert 0.02 < share < 0.98
    if "ignore-close" in policy:
        # It need not look to see of a close, when the block ends, that was there already.
        assert connections["endings"].get("server_stale", 0) >= 0.9 * gone - IDLERS
    elif expected == "all":  # seen before the next request was sent
        assert connections["endings"].get("server_stale", 0) <= 0.1 * gone


@pytest.mark.parametrize(
    ("reply", "rst", "ending"),
    [
        (HELLO, False, "server_idle_fin"),
        (HELLO, True, "server_idle_rst"),
        (HELLO[:-3], False, "server_mid_response_fin"),
        (HELLO[:-3], True, "server_mid_response_rst"),
        (BYE, False, "server_announced"),
    ],
)
def test_how_the_server_ended_a_connection(tmp_path: Path, reply: bytes, rst: bool, ending: str) -> None:
    def script(connection: socket.socket, number: int) -> None:
        for _ in range(2):
            if not read_request(connection):
                return
            connection.sendall(HELLO)
        if number == 0 or not read_request(connection):
            return
        connection.sendall(reply)
        if rst:
            reset_at_close(connection)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        arguments = ["--users", "1", "--policies", "persistent", "--think", "2ms"]
        summary = compare(url, tmp_path / "run", *arguments)
    endings = summary["policies"]["persistent"]["connections"]["endings"]
    # What is left is the first connection's end, and the last ones' at the end of the blocks.
    assert endings[ending] >= sum(endings.values()) - 4
    assert endings[ending] > 3


def test_a_stale_request_is_repeated_once_where_asked_for(tmp_path: Path) -> None:
    with scripted_server(lose_the_third) as port:
        url = f"http://127.0.0.1:{port}/"
        summary = compare(url, tmp_path / "run", "--users", "1", "--policies", "persistent", "--retry-stale")
    one = summary["policies"]["persistent"]
    assert set(one["errors"]) == {"stale_connection"}
    assert one["connections"]["retried"] == one["connections"]["endings"]["server_stale"] > 5
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        again = (samples["nth_on_connection"] == 0) & (samples["queue"] > 0)
        # The repetition counts from when its request was due: what was lost before is its queue.
        assert np.count_nonzero(again) >= one["errors"]["stale_connection"] - 2
        assert (samples["status"][again] == 200).all()


def test_without_being_asked_nothing_is_repeated(share_target: Start, tmp_path: Path) -> None:
    one = run_unchecked(share_target("--close-after", "2", "--silent"), tmp_path, "ignore-close")
    assert one["connections"]["retried"] == 0
    assert one["errors"]["stale_connection"] > 5


def test_cookies_belong_to_the_user(tmp_path: Path) -> None:
    seen: list[tuple[int, bytes]] = []

    def script(connection: socket.socket, number: int) -> None:
        while request := read_request(connection):
            cookie = next((line for line in request.split(b"\r\n") if line.startswith(b"Cookie: ")), b"")
            seen.append((number, cookie))
            given = (
                b"" if cookie else b"Set-Cookie: id=%d; Path=/\r\nSet-Cookie: other=elsewhere; Path=/no\r\n" % number
            )
            connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\n" + given + b"\r\n", 1))

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        for policy in ("close", "pool:1"):
            seen.clear()
            arguments = ["--users", "3", "--policies", policy, "--rounds", "1"]
            compare(url, tmp_path / policy.replace(":", ""), *arguments)
            without = [number for number, cookie in seen if not cookie]
            # Each user is asked for its name once, whatever connections it has.
            assert len(without) == 3, policy
            assert {cookie for _, cookie in seen if cookie} == {b"Cookie: id=%d" % number for number in without}
        seen.clear()
        compare(url, tmp_path / "none", "--users", "3", "--policies", "close", "--no-cookies", "--rounds", "1")
        assert not any(cookie for _, cookie in seen)


def test_connections_come_from_the_given_addresses(tmp_path: Path) -> None:
    peers = set()

    def script(connection: socket.socket, _number: int) -> None:
        peers.add(connection.getpeername()[0])
        while read_request(connection):
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        sources = ["--source-ip", "127.0.0.2", "--source-ip", "127.0.0.3"]
        summary = compare(url, tmp_path / "run", "--users", "2", "--policies", "close", *sources)
    assert peers == {"127.0.0.2", "127.0.0.3"}
    assert summary["policies"]["close"]["sockets"]["ports_range"] == 2 * port_range()


def port_range() -> int:
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    return int(last) - int(first) + 1


@pytest.mark.alone  # it measures time
def test_the_cost_of_a_connection_is_amortised_as_the_model_says(tmp_path: Path) -> None:
    """The embedded target, whose handshakes all cost the same: exchange + handshake / K fits its curve."""
    grid = ["--recycle", "1,2,5,10,100,inf", "--users", "1", "--tls"]
    done = loadgen(
        *("sweep", *grid, "--rounds", "3", "--block", "400ms", "--warmup", "100ms", "--json", "--out", "run"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    (curve,) = summary["sweep"]["amortisation"]
    assert curve["r2"] >= 0.98
    phases = summary["policies"]["recycle:1"]["phases_ns"]
    handshake = phases["connect"]["mean"] + phases["tls"]["mean"]
    # All that a new connection costs: its handshake, and what the first exchange on it takes longer.
    assert handshake < curve["handshake_ns"] < 2 * handshake
    assert 5 < curve["k90"] < 20
    assert {f"{name}.png" for name in ("amortisation", "by_position")} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    opened = sum(one["connections"]["opened"] for one in summary["policies"].values())
    assert summary["environment"]["embedded_target"]["accepted"] == opened
