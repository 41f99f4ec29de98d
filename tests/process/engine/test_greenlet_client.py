"""Blocking clients on real sockets: a policy's rules, bodies, cookies, errors and kills; rows equal results."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.drive.requests.call_result import CallResult
from loadgen.measure.data.recorder import Recorder
from loadgen.measure.data.rows import read_rows
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policy
from loadgen.model.records import ConnectionFlag, Ending, Phase
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.target.process import EmbeddedTarget
from loadgen.wire.route import Route
from tests.support.processes import Nginx, lose_the_third, read_request, scripted_server
from tests.support.row_sink import RowSink
from tests.support.targets import Target

Start = Callable[..., Target]
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
WAIT_S = 20


class Rows(RowSink):
    """Tells also when a connection has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Event()

    def connection(self, *row: int) -> None:
        super().connection(*row)
        self.seen.set()

    @property
    def ending_counts(self) -> Counter[Ending]:
        return Counter(Ending(ending) for ending in self.endings)


def plan_for(url: str, policy: str = "persistent", **values: Any) -> Plan:
    timeout_ns = values.pop("timeout_ms", 10_000) * NS_PER_MS
    return Plan(parse_target(url), (parse_policy(policy),), Load(timeout_ns=timeout_ns), **values)


@contextmanager
def clients(
    url: str, policy: str = "persistent", sink: Any = None, **values: Any
) -> Iterator[tuple[GreenletClientPool, Any]]:
    """A pool of clients and its rows; closed at the end."""
    plan = plan_for(url, policy, **values)
    sink = sink or Rows()
    pool = GreenletClientPool(plan, Route.of(plan), sink, policy)
    try:
        yield pool, sink
    finally:
        pool.close()


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a greenlet returns that runs the function."""
    return gevent.spawn(function, *arguments).get(timeout=WAIT_S)


def get(pool: GreenletClientPool, times: int, path: str = "/") -> list[CallResult]:
    """This many requests of a user, who leaves then."""
    client = pool.new_client()
    answers = [client.call("GET", path) for _ in range(times)]
    client.leave()
    return answers


def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        gevent.sleep(0.001)


def one_answer(
    response: bytes, method: str = "GET", closes: bool = False, **values: Any
) -> tuple[CallResult, CallResult]:
    """What two calls get from a server that gives this response, and closes after it or not."""

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(response)
            if closes:
                return

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/", **values) as (pool, _):
        client = pool.new_client()
        return run(lambda: (client.call(method, "/"), client.call(method, "/")))


# Policies, by the target's own account


@pytest.mark.parametrize(
    ("policy", "connections", "most", "ending"),
    [
        ("persistent", 1, 12, Ending.CLIENT_SILENT),
        ("close", 12, 1, Ending.CLIENT_ANNOUNCED),
        ("recycle:3", 4, 3, Ending.CLIENT_ANNOUNCED),
        ("recycle:5+abandon", 3, 5, Ending.CLIENT_SILENT),
        ("http10", 12, 1, Ending.CLIENT_ANNOUNCED),
        ("http10-keepalive", 1, 12, Ending.CLIENT_SILENT),
        ("gap:5ms", 1, 12, Ending.CLIENT_SILENT),
        ("ignore-close", 1, 12, Ending.CLIENT_SILENT),
    ],
)
def test_connections_are_treated_as_the_policy_says(
    share_target: Start, policy: str, connections: int, most: int, ending: Ending
) -> None:
    target = share_target()
    with clients(target.url, policy) as (pool, rows):
        answers = run(get, pool, 12)
        assert [answer.status for answer in answers] == [200] * 12
        assert [answer.request_index for answer in answers] == [number % most for number in range(12)]
        assert [answer.reused for answer in answers] == [number % most > 0 for number in range(12)]
        assert pool.connections == len(rows.connections) == connections
        assert rows.ending_counts[ending] >= connections - 1
    account = target.stats()
    assert (account["accepted"], account["requests"], account["open"]) == (connections, 12, 0)
    assert max(map(int, account["requests_per_connection"])) == most


def test_a_connection_rests_between_calls_and_no_phase_counts_it(share_target: Start) -> None:
    with clients(share_target().url, "gap:30ms") as (pool, rows):
        answers = run(get, pool, 4)
    ends = [row["scheduled"] + answer.latency_ns for row, answer in zip(rows.exchanges, answers, strict=True)]
    gaps = [row["scheduled"] - end for row, end in zip(rows.exchanges[1:], ends, strict=False)]
    assert min(gaps) >= 30 * NS_PER_MS
    # On a busy machine one may take that long by itself.
    assert min(answer.latency_ns for answer in answers[1:]) < 30 * NS_PER_MS


def test_no_request_begins_on_a_connection_that_is_too_old(share_target: Start) -> None:
    target = share_target()

    def scenario(pool: GreenletClientPool) -> list[CallResult]:
        client = pool.new_client()
        answers = [client.call("GET", "/"), client.call("GET", "/")]
        gevent.sleep(0.06)  # what is tested is that time passes
        return [*answers, client.call("GET", "/")]

    with clients(target.url, "lifetime:50ms") as (pool, rows):
        answers = run(scenario, pool)
        assert [answer.request_index for answer in answers] == [0, 1, 0]
        assert rows.ending_counts == {Ending.CLIENT_SILENT: 1}
    assert target.stats()["accepted"] == 2


@pytest.mark.parametrize("policy", ["max-idle:100ms", "honour:900ms"])
def test_a_connection_that_is_not_used_is_closed_without_a_next_request(policy: str) -> None:
    unused_s: list[float] = []

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HELLO.replace(b"Content-Length", b"Keep-Alive: timeout=1\r\nContent-Length"))
        begun_s = time.monotonic()
        assert connection.recv(1) == b""
        unused_s.append(time.monotonic() - begun_s)

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/", policy) as (pool, rows):
        run(pool.new_client().call, "GET", "/")
        until(lambda: len(unused_s) == 1)
        assert rows.ending_counts == {Ending.CLIENT_SILENT: 1}
    assert 0.09 < unused_s[0] < 0.3  # a busy machine is late


def test_an_announced_close_is_honoured(nginx: Nginx) -> None:
    with clients(nginx.limited) as (pool, rows):
        answers = run(get, pool, 12)
    assert [answer.request_index for answer in answers] == [number % 5 for number in range(12)]
    assert rows.ending_counts == {Ending.SERVER_ANNOUNCED: 2, Ending.CLIENT_SILENT: 1}
    until(lambda: len(nginx.log()) == 12)
    assert len({line[0] for line in nginx.log()}) == 3
    assert pool.keep_alive == {"timeout_s": 1}


@pytest.mark.parametrize(("policy", "resumed"), [("close", "."), ("close-resume", "r")])
def test_tls_is_resumed_where_the_policy_says_so(nginx: Nginx, policy: str, resumed: str) -> None:
    with clients(nginx.https, policy, cacert=str(nginx.ca_file)) as (pool, rows):
        answers = run(get, pool, 5)
        assert pool.observed["tls"]["version"].startswith("TLSv1")
    assert all(answer.status == 200 and answer.phases["tls"] for answer in answers)
    until(lambda: len(nginx.log()) == 5)  # it writes a line after the response is out
    assert [line[3] for line in nginx.log()] == [".", *resumed * 4]
    assert len(rows.connections) == 5


def test_only_safe_methods_go_as_early_data(tmp_path: Path) -> None:
    """Whether others may repeat a PUT, only the scenario's author knows (RFC 8470 §4)."""
    methods = ("GET", "GET", "PUT", "GET", "DELETE", "HEAD")
    target = EmbeddedTarget(True, tmp_path, ("--early-data",))
    try:
        with clients(target.url, "early-data", cacert=str(target.ca_file)) as (pool, rows):
            client = pool.new_client()
            answers = run(lambda: [client.call(method, "/") for method in methods])
            client.leave()
        seen = Target(target.url, target.ca_file).early_data
    finally:
        target.stop()
    assert [answer.status for answer in answers] == [200] * len(methods)
    # The first connection has no session to offer yet.
    assert [bool(row["flags"] & ConnectionFlag.TLS_RESUMED) for row in rows.connections] == [False, *[True] * 5]
    early = [bool(row["flags"] & ConnectionFlag.EARLY_ACCEPTED) for row in rows.connections]
    assert early == [False, True, False, True, False, True]
    assert seen == {"accepted": 3}


@pytest.mark.parametrize(("policy", "connections"), [("pool:2", 2), ("pool:3+close", 12), ("pipeline:4", 4)])
def test_users_send_several_requests_over_the_connections_of_the_policy(
    nginx: Nginx, policy: str, connections: int
) -> None:
    with clients(nginx.http, policy) as (pool, rows):
        calls = [gevent.spawn(user.call, "GET", "/") for user in [pool.new_client() for _ in range(4)] * 3]
        assert [call.get(timeout=WAIT_S).status for call in calls] == [200] * 12
    assert len(rows.exchanges) == 12
    assert len(rows.connections) == connections
    until(lambda: len(nginx.log()) == 12)  # it writes a line after the response is out
    assert len({line[0] for line in nginx.log()}) == connections


def test_a_close_while_idle_is_seen_and_costs_no_request() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HELLO)

    def scenario(pool: GreenletClientPool, rows: Rows) -> list[CallResult]:
        client = pool.new_client()
        first = client.call("GET", "/")
        assert rows.seen.wait(WAIT_S)
        return [first, client.call("GET", "/")]

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        answers = run(scenario, pool, rows)
        assert rows.connections[0]["ending"] == Ending.SERVER_IDLE_FIN
    assert [(answer.status, answer.request_index) for answer in answers] == [(200, 0), (200, 0)]


# What is recorded


@pytest.mark.parametrize("policy", ["persistent", "recycle:2"])
def test_phases_sum_to_the_latency_and_the_recorded_row_says_the_same(
    share_target: Start, tmp_path: Path, policy: str
) -> None:
    recorder = Recorder(tmp_path)
    facts = {"index": 0, "round": 0, "policy": policy, "first_connection": 0, "window_begun_ns": time.monotonic_ns()}
    with clients(share_target().url, policy, sink=recorder) as (pool, _):
        answers = [answer for answers in (run(get, pool, 7), run(get, pool, 6)) for answer in answers]
    recorder.block(facts | {"window_ended_ns": time.monotonic_ns(), "whole": True})
    recorder.close()
    samples = read_rows(tmp_path, (policy,))
    assert len(samples) == 13
    assert samples.latency_ns().tolist() == [answer.latency_ns for answer in answers]
    assert samples.columns["connection"].tolist() == [answer.connection for answer in answers]
    assert samples.columns["nth_on_connection"].tolist() == [answer.request_index for answer in answers]
    for phase in Phase:
        column = [None if value < 0 else value for value in samples.columns[phase.value].tolist()]
        assert column == [answer.phases[phase.value] for answer in answers]
    for answer in answers:
        assert answer.latency_ns == sum(value or 0 for value in answer.phases.values())
        assert (answer.phases["connect"] is None) == answer.reused
        assert answer.phases["queue"] is None


def test_a_hundred_clients_take_turns_and_every_request_is_counted(share_target: Start) -> None:
    target = share_target("--delay", "8ms")
    with clients(target.url, "recycle:4") as (pool, rows):
        users = [gevent.spawn(get, pool, 10) for _ in range(100)]
        begun = time.monotonic()
        gevent.joinall(users, timeout=WAIT_S, raise_error=True)
        assert time.monotonic() - begun < 5  # one after the other they would wait for 8 s
        assert Counter(row["outcome"] for row in rows.exchanges) == {200: 1000}
        assert {row["user"] for row in rows.exchanges} == set(range(100))
    account = target.stats()
    assert account["requests"] == 1000
    assert account["accepted"] == pool.connections == len(rows.connections) == 300
    assert account["requests_per_connection"] == {"2": 100, "4": 200}


def test_users_that_come_later_take_the_numbers_of_those_who_left(share_target: Start) -> None:
    """Their slots have numbers of their own: other users need other connections."""
    with clients(share_target().url) as (pool, rows):
        first, second, third = pool.new_client(), pool.new_client(), pool.new_client()
        first.leave()
        second.leave()
        again = [pool.new_client() for _ in range(3)]
        assert [client.user_state.index for client in again] == [0, 1, 3]
        run(again[1].call, "GET", "/")
        assert third.user_state.index == 2
        first.leave()
        first.leave()
        assert pool.new_client().user_state.index == 4
    assert [row["slot"] for row in rows.connections] == [4]


def test_what_kind_of_server_answers_is_noted(share_target: Start) -> None:
    with clients(share_target().url) as (pool, _):
        run(get, pool, 1)
    assert pool.observed["server"] == "loadgen"
    assert pool.observed["http_version"] == "1.1"


# Requests


def sent(method: str, path: str, *arguments: Any, **values: Any) -> bytes:
    """The bytes that a call puts on the wire."""
    seen = []

    def script(connection: socket.socket, _number: int) -> None:
        request = read_request(connection)
        head, _, body = request.partition(b"\r\n\r\n")
        length = next((int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        seen.append(head + b"\r\n\r\n" + body)
        connection.sendall(HELLO)

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/", **values) as (pool, _):
        assert run(pool.new_client().call, method, path, *arguments).status == 200
    return seen[0]


def test_method_path_fields_and_body_are_sent() -> None:
    request = sent("PUT", "/items/7?full=1", (("X-One", "1"), ("X-Two", "2")), b"abc")
    lines = request.split(b"\r\n")
    assert lines[0] == b"PUT /items/7?full=1 HTTP/1.1"
    assert {b"X-One: 1", b"X-Two: 2", b"Content-Length: 3", b"Connection: keep-alive"} <= set(lines)
    assert request.endswith(b"\r\n\r\nabc")


def test_a_body_of_many_segments_arrives_whole() -> None:
    body = bytes(range(256)) * 8192
    assert sent("POST", "/", (), body).endswith(b"\r\n\r\n" + body)


def test_fields_of_the_plan_are_defaults() -> None:
    plan = {"headers": (("X-Plan", "plan"), ("Accept", "text/plain"))}
    lines = sent("GET", "/", (("x-plan", "mine"),), **plan).split(b"\r\n")
    assert b"x-plan: mine" in lines
    assert b"X-Plan: plan" not in lines
    assert b"Accept: text/plain" in lines


def test_what_a_url_cannot_hold_is_encoded_and_a_fragment_stays_here() -> None:
    line = sent("GET", "/a b/%20/é?q=ü&r=[1]#part").split(b"\r\n")[0]
    assert line == b"GET /a%20b/%20/%C3%A9?q=%C3%BC&r=[1] HTTP/1.1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", "/", (("Connection", "close"),)), "the connection policy sets it"),
        (("POST", "/", (("Content-Length", "3"),), b"abc"), "can't be given"),
        (("GET", "/", (("X-A", "1\r\nX-B: 2"),)), "control character"),
        (("GET", "/", (("X A", "1"),)), "not a token"),
        (("GET", "/", (("X-A", 1),)), "both must be text"),
        (("GET", "/\r\nX-B: 2"), "control character"),
        (("GET", "items"), "slash"),
        (("BREW IT", "/"), "not a token"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line_and_not_sent(
    arguments: tuple[Any, ...], message: str, closed_port: int
) -> None:
    with clients(f"http://127.0.0.1:{closed_port}/") as (pool, rows):
        client = pool.new_client()
        for _ in range(2):
            with pytest.raises(ValueError, match=message) as caught:
                client.call(*arguments)
            assert "\n" not in str(caught.value)
    assert not rows.exchanges


# Bodies


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (HELLO, b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b"hello"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + HELLO, b"hello"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", b"none"),
    ],
)
def test_the_body_is_the_response_s_own_each_time(response: bytes, body: bytes) -> None:
    first, second = one_answer(response)
    assert (first.body, second.body) == (body, body)
    assert not first.failure
    assert second.reused


def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    answers = one_answer(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, closes=True)
    assert [(answer.status, answer.body, answer.request_index) for answer in answers] == [(200, b"x" * 100_000, 0)] * 2


def test_a_response_to_head_has_no_body_and_the_next_one_to_get_has(share_target: Start) -> None:
    def scenario(pool: GreenletClientPool) -> list[CallResult]:
        client = pool.new_client()
        return [client.call(method, "/") for method in ("HEAD", "GET", "HEAD", "HEAD", "GET")]

    for policy, request_index in (("persistent", [0, 1, 2, 3, 4]), ("close", [0] * 5)):
        with clients(share_target().url, policy) as (pool, _):
            answers = run(scenario, pool)
        assert [len(answer.body) for answer in answers] == [0, 5, 0, 0, 5]
        assert [answer.request_index for answer in answers] == request_index


def test_a_large_body_comes_whole(share_target: Start) -> None:
    with clients(share_target().url) as (pool, rows):
        answers = run(get, pool, 2, "/?size=5000000")
    assert [answer.body for answer in answers] == [(b"loadgen " * 625_000)] * 2
    assert all(row["bytes_received"] > 5_000_000 for row in rows.exchanges)


def test_a_body_over_the_limit_is_an_error_of_its_kind(share_target: Start) -> None:
    with clients(share_target().url, max_body_bytes=1000) as (pool, rows):
        (answer,) = run(get, pool, 1, "/?size=1001")
    assert answer.error is ErrorKind.BODY_TOO_LARGE
    assert (answer.status, answer.body, answer.head) == (0, b"", None)
    assert rows.exchanges[0]["outcome"] == -ErrorKind.BODY_TOO_LARGE


# Cookies


def cookies_seen(steps: list[str], sets: dict[str, str], own: dict[str, str] | None = None, **values: Any) -> list[str]:
    """The Cookie fields of each step's request.

    A path in `sets` answers with that Set-Cookie, a request to one in `own` brings that Cookie itself.
    """
    seen = []

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            lines = request.decode().split("\r\n")
            path = lines[0].split(" ")[1]
            seen.append(" and ".join(line[8:] for line in lines if line.startswith("Cookie: ")))
            field = f"Set-Cookie: {sets[path]}\r\n" if path in sets else ""
            connection.sendall(f"HTTP/1.1 200 OK\r\n{field}Content-Length: 0\r\n\r\n".encode())

    def scenario(pool: GreenletClientPool) -> None:
        client = pool.new_client()
        for step in steps:
            client.call("GET", step, (("Cookie", own[step]),) if own and step in own else ())

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/", **values) as (pool, _):
        run(scenario, pool)
    return seen


def test_cookies_go_where_their_path_says() -> None:
    steps = ["/login", "/app/1", "/other", "/app/2", "/app/1"]
    assert cookies_seen(steps, {"/login": "s=1; Path=/app"}) == ["", "s=1", "", "s=1", "s=1"]


def test_the_same_field_means_another_path_elsewhere() -> None:
    sets = {"/a/set": "s=1", "/b/set": "s=1"}  # without Path it is that of the request (RFC 6265 §5.1.4)
    assert cookies_seen(["/a/set", "/b/x", "/b/set", "/b/x", "/a/x"], sets) == ["", "", "", "s=1", "s=1"]


def test_cookies_are_replaced_and_taken_back() -> None:
    sets = {"/in": "s=1; Path=/", "/more": "t=2; Path=/; Max-Age=1000", "/out": "s=; Path=/; Max-Age=0"}
    steps = ["/in", "/x", "/more", "/x", "/out", "/x", "/in", "/x"]
    assert cookies_seen(steps, sets) == ["", "s=1", "s=1", "s=1; t=2", "s=1; t=2", "t=2", "t=2", "t=2; s=1"]


def test_no_cookies_where_the_plan_says_so() -> None:
    assert cookies_seen(["/in", "/x"], {"/in": "s=1; Path=/"}, cookies=False) == ["", ""]


def test_a_request_with_a_cookie_field_of_its_own_has_that_one_alone() -> None:
    assert cookies_seen(["/in", "/x", "/y"], {"/in": "s=1; Path=/"}, own={"/x": "t=2"}) == ["", "t=2", "s=1"]


def test_a_cookie_goes_no_more_once_it_has_expired() -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            seen.append(request)
            field = b"Set-Cookie: s=1; Max-Age=1\r\n" if b"GET /in" in request else b""
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 0\r\n\r\n")

    def scenario(pool: GreenletClientPool) -> None:
        client = pool.new_client()
        client.call("GET", "/in")
        client.call("GET", "/x")
        assert b"Cookie: s=1" in seen[-1]

        def is_gone() -> bool:
            client.call("GET", "/x")
            return b"Cookie: " not in seen[-1]

        until(is_gone)

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/") as (pool, _):
        run(scenario, pool)


def test_a_user_does_not_have_the_cookies_of_another() -> None:
    seen = []

    def script(connection: socket.socket, number: int) -> None:
        while request := read_request(connection):
            seen.append(b"Cookie: s=" in request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: s=%d; Path=/\r\nContent-Length: 0\r\n\r\n" % number)

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/") as (pool, _):
        run(get, pool, 2)
        run(get, pool, 2)
    assert seen == [False, True, False, True]


# What goes wrong


def test_a_stale_connection_is_reported_and_not_hidden() -> None:
    with scripted_server(lose_the_third) as port, clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        answers = run(get, pool, 4)
    assert [answer.error for answer in answers] == [None, None, ErrorKind.STALE_CONNECTION, None]
    assert [answer.request_index for answer in answers] == [0, 1, 2, 0]
    assert len(rows.exchanges) == 4
    assert answers[2].failure == "the server closed the connection"


def test_a_stale_connection_is_tried_again_once_where_the_plan_says_so() -> None:
    with (
        scripted_server(lose_the_third) as port,
        clients(f"http://127.0.0.1:{port}/", retry_stale=True) as (pool, rows),
    ):
        answers = run(get, pool, 3)
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [row["outcome"] for row in rows.exchanges] == [200, 200, -ErrorKind.STALE_CONNECTION, 200]
    assert pool.retried == 1
    # What the first try took counts: it is what the user waited.
    lost = rows.exchanges[2]
    assert answers[2].phases["queue"] is not None
    assert answers[2].phases["queue"] >= lost["send"] + lost["wait"]
    assert rows.exchanges[3]["scheduled"] == lost["scheduled"]


def test_what_is_not_idempotent_is_never_sent_again() -> None:
    def scenario(pool: GreenletClientPool) -> list[CallResult]:
        client = pool.new_client()
        return [client.call(method, "/") for method in ("GET", "GET", "POST", "GET")]

    with scripted_server(lose_the_third) as port, clients(f"http://127.0.0.1:{port}/", retry_stale=True) as (pool, _):
        answers = run(scenario, pool)
    assert [answer.error for answer in answers] == [None, None, ErrorKind.STALE_CONNECTION, None]
    assert pool.retried == 0


def test_silence_ends_at_the_deadline_and_the_next_call_opens_anew() -> None:
    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            if number:
                connection.sendall(HELLO)

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/", timeout_ms=500) as (pool, rows):
        answers = run(get, pool, 2)
    assert answers[0].error is ErrorKind.RESPONSE_TIMEOUT
    assert 500 * NS_PER_MS <= answers[0].latency_ns < 5000 * NS_PER_MS
    assert (answers[1].status, answers[1].request_index) == (200, 0)
    assert rows.connections[0]["ending"] == Ending.CLIENT_GAVE_UP


def test_a_target_that_refuses_is_not_hammered_and_others_go_on(closed_port: int) -> None:
    others = []

    def bystander() -> None:
        while True:
            others.append(1)
            gevent.sleep(0)

    with clients(f"http://127.0.0.1:{closed_port}/") as (pool, rows):
        beside = gevent.spawn(bystander)
        begun = time.monotonic()
        answers = run(get, pool, 10)
        took_s = time.monotonic() - begun
        beside.kill()
    assert {answer.error for answer in answers} == {ErrorKind.CONNECT_REFUSED}
    assert took_s >= 0.09  # 10 ms after each but the last
    assert len(others) > 10
    assert rows.ending_counts == {Ending.NOT_OPENED: 10}


def test_a_full_disk_is_raised_in_the_call(share_target: Start) -> None:
    class Full(Rows):
        def exchange(self, *row: int) -> None:
            if len(self.exchanges) == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().exchange(*row)

    target = share_target()
    with clients(target.url, sink=Full()) as (pool, rows):
        client = pool.new_client()
        run(client.call, "GET", "/")
        run(client.call, "GET", "/")
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                run(client.call, "GET", "/")
    assert len(rows.exchanges) == 2
    assert target.stats()["open"] == 0


# Ends


@contextmanager
def silent_server() -> Iterator[tuple[int, threading.Event, threading.Event]]:
    """A server that never answers: its port, that a request came, and that its client has gone."""
    asked, gone = threading.Event(), threading.Event()

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        asked.set()
        if not connection.recv(1):
            gone.set()

    with scripted_server(script) as port:
        yield port, asked, gone


def test_a_kill_in_mid_call_abandons_the_exchange_once() -> None:
    with silent_server() as (port, asked, gone), clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        client = pool.new_client()
        user = gevent.spawn(client.call, "GET", "/")
        until(asked.is_set)
        user.kill(timeout=WAIT_S)
        assert user.dead
        assert [row["outcome"] for row in rows.exchanges] == [-ErrorKind.UNFINISHED]
        assert rows.ending_counts == {Ending.CLIENT_GAVE_UP: 1}
        assert gone.wait(WAIT_S)
        client.leave()
    assert len(rows.exchanges) == len(rows.connections) == 1


def test_a_kill_before_the_connection_is_up_abandons_it_too(share_target: Start) -> None:
    target = share_target()
    with clients(target.url) as (pool, rows):
        user = gevent.spawn(pool.new_client().call, "GET", "/")
        gevent.sleep(0)
        user.kill(timeout=WAIT_S)
        assert [row["outcome"] for row in rows.exchanges] == [-ErrorKind.UNFINISHED]
        assert rows.ending_counts == {Ending.NOT_OPENED: 1}
    assert target.stats()["requests"] == 0


def test_a_killed_user_may_still_say_goodbye() -> None:
    def script(connection: socket.socket, number: int) -> None:
        while request := read_request(connection):
            if b"GET /bye" in request:
                connection.sendall(HELLO)
            else:
                asked.set()

    asked = threading.Event()
    goodbyes = []

    def scenario(pool: GreenletClientPool) -> None:
        client = pool.new_client()
        try:
            client.call("GET", "/")
        finally:
            goodbyes.append(client.call("GET", "/bye"))
            client.leave()

    with scripted_server(script) as port, clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        user = gevent.spawn(scenario, pool)
        until(asked.is_set)
        user.kill(timeout=WAIT_S)
    assert [answer.status for answer in goodbyes] == [200]
    assert [row["outcome"] for row in rows.exchanges] == [-ErrorKind.UNFINISHED, 200]
    assert rows.ending_counts == {Ending.CLIENT_GAVE_UP: 1, Ending.CLIENT_SILENT: 1}


def test_a_timeout_of_the_scenario_s_own_abandons_too() -> None:
    with silent_server() as (port, _, _), clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        client = pool.new_client()

        def scenario() -> str:
            try:
                with gevent.Timeout(0.05):
                    client.call("GET", "/")
            except gevent.Timeout:
                return "own"
            return "none"

        assert run(scenario) == "own"
    assert [row["outcome"] for row in rows.exchanges] == [-ErrorKind.UNFINISHED]


def test_leaving_closes_an_idle_connection_without_a_word(share_target: Start) -> None:
    target = share_target()
    with clients(target.url) as (pool, rows):
        client = pool.new_client()
        run(client.call, "GET", "/")
        client.leave()
        client.leave()
        assert rows.ending_counts == {Ending.CLIENT_SILENT: 1}
        with pytest.raises(RuntimeError, match="has left"):
            run(client.call, "GET", "/")
    assert target.stats()["accepted"] == 1


def test_closing_the_pool_wakes_those_who_wait() -> None:
    with silent_server() as (port, asked, gone), clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        user = gevent.spawn(pool.new_client().call, "GET", "/")
        until(asked.is_set)
        pool.close()
        pool.close()
        assert user.get(timeout=WAIT_S).error is ErrorKind.UNFINISHED
        assert gone.wait(WAIT_S)
    assert len(rows.exchanges) == len(rows.connections) == 1


def test_a_user_who_left_while_resting_opens_nothing(share_target: Start) -> None:
    target = share_target()
    with clients(target.url, "gap:100ms") as (pool, rows):
        client = pool.new_client()
        run(client.call, "GET", "/")
        user = gevent.spawn(client.call, "GET", "/")
        gevent.sleep(0)
        client.leave()
        with pytest.raises(RuntimeError, match="has left"):
            user.get(timeout=WAIT_S)
    assert len(rows.exchanges) == len(rows.connections) == 1
    assert target.stats()["requests"] == 1


def test_a_second_request_at_a_time_has_a_connection_of_its_own() -> None:
    with silent_server() as (port, asked, _), clients(f"http://127.0.0.1:{port}/") as (pool, rows):
        client = pool.new_client()
        first = gevent.spawn(client.call, "GET", "/")
        until(asked.is_set)
        second = gevent.spawn(client.call, "GET", "/")
        gevent.idle()
        assert pool.connections == 2
        assert not rows.exchanges
        gevent.killall([first, second], timeout=WAIT_S)
    assert rows.column("outcome") == [-ErrorKind.UNFINISHED] * 2


def test_a_server_asked_to_close_gets_a_moment_to_do_it(share_target: Start) -> None:
    target = share_target("--ignore-close")
    with clients(target.url, "close") as (pool, rows):
        answers = run(get, pool, 3)
        assert [answer.status for answer in answers] == [200] * 3
    assert rows.ending_counts == {Ending.CLIENT_ANNOUNCED: 3}
    assert target.stats()["accepted"] == 3
