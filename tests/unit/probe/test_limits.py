"""The probes of a connection's limits, on servers whose limits are known."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

import pytest
from gevent.event import AsyncResult

from loadgen.model.audit import FindingRecord, Verdict
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.probe.announcement import Announcement
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.limits.max_requests import Carried, judge_carried, note_ages
from loadgen.probe.session import AuditState, ProbeSession
from tests.support.audits import finding, findings_of
from tests.support.processes import BYE, HELLO, Script, read_request, scripted_server
from tests.support.violations.limits import ends_after, ends_at_age
from tests.support.violations.persistence import serves

IDLE_MAX_NS = 1_200 * NS_PER_MS
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"


def max_requests(script: Script, limit: int = 100) -> FindingRecord:
    with scripted_server(script) as port:
        return finding(f"http://127.0.0.1:{port}/", "max_requests", max_requests=limit)


def test_a_connection_without_a_limit() -> None:
    found = max_requests(ends_after(1_000))
    assert (found["verdict"], found["values"]) == ("ok", {"more_than": 100})


def test_an_announced_limit_is_counted_on_three_connections() -> None:
    found = max_requests(ends_after(20, last=BYE))
    assert found["verdict"] == "note"
    assert found["values"].items() >= {"closed_after": 20, "connections": 3, "announced": True, "lost": 0}.items()


@pytest.mark.parametrize(
    ("last", "announced"),
    [
        (BYE, "Connection: close with the last response"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 without keep-alive"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "a response without a length"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "a response whose framing is faulty",
        ),
    ],
)
def test_how_a_server_says_that_a_response_is_the_last(last: bytes, announced: str) -> None:
    found = max_requests(ends_after(3, last=last))
    assert (found["verdict"], found["announced"], found["values"]["closed_after"]) == ("note", announced, 3)


def test_a_keep_alive_field_that_promises_more() -> None:
    promise = HELLO.replace(b"\r\n\r\n", b"\r\nKeep-Alive: timeout=5, max=50\r\n\r\n")

    found = max_requests(serves(promise, HELLO, BYE))
    assert found["measured"] == "closed after 3, as announced, sooner than max=50, 3 connections"
    assert found["values"]["announced_max"] == 50


@pytest.mark.parametrize(
    ("age_s", "verdict", "measured"),
    [
        (30.1, "ok", "more than 600 in 30.1 s; then it had come to its age"),
        (20, "note", "closed after 600, as announced"),
    ],
)
def test_a_lifetime_is_not_taken_for_a_number_of_requests(age_s: float, verdict: str, measured: str) -> None:
    state = AuditState.of(AuditPlan(target=parse_target("http://127.0.0.1:9/")))
    lifetime = Finding(
        verdict=Verdict.NOTE,
        measured="closed",
        values={"min_lifetime_ns": 29 * NS_PER_S, "max_lifetime_ns": 30 * NS_PER_S},
    )
    state.findings["max_lifetime"] = AsyncResult()
    state.findings["max_lifetime"].set(lifetime)
    carried = [Carried(600, Announcement.CLOSE, age_ns=int(age_s * NS_PER_S))]
    note_ages(ProbeSession(state, "max_requests", 1, 1), carried)
    found = judge_carried(carried, 40 * NS_PER_S)
    assert (found.verdict, found.measured) == (verdict, measured)


def test_no_more_requests_are_sent_than_allowed() -> None:
    found = max_requests(ends_after(60, last=BYE))
    assert found["values"].items() >= {"closed_after": 60, "connections": 1}.items()


def test_a_limit_of_a_worker_shows_as_a_spread() -> None:
    found = max_requests(lambda connection, number: ends_after(5 + 4 * number, last=BYE)(connection, 0))
    assert found["values"].items() >= {"min_closed_after": 9, "max_closed_after": 17}.items()
    assert found["measured"] == "closed after 9 to 17, as announced, 3 connections"


def test_a_slow_server_is_asked_no_longer_than_allowed() -> None:
    never = threading.Event()

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            never.wait(0.02)
            connection.sendall(HELLO)

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "max_requests", idle_max_ns=200 * NS_PER_MS)
    more_than = found["values"]["more_than"]
    assert isinstance(more_than, int)
    assert (found["verdict"], 1 <= more_than <= 11) == ("ok", True)
    assert found["measured"].startswith(f"more than {more_than} in ")


def test_a_server_that_limits_its_clients_is_left_alone() -> None:
    received = []

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            received.append(1)
            connection.sendall(HELLO if len(received) < 9 else HELLO.replace(b"200 OK", b"429 Slow Down"))

    found = max_requests(script)
    assert (found["verdict"], len(received)) == ("unknown", 9)


def test_a_long_body_is_not_asked_for_each_time() -> None:
    methods = set()

    def script(connection: socket.socket, number: int) -> None:
        while request := read_request(connection):
            is_head = request.startswith(b"HEAD")
            methods.add((number, is_head))
            connection.sendall(LONG if is_head else LONG + bytes(20_000))

    assert max_requests(script)["values"] == {"more_than": 100}
    assert methods == {(0, False), (1, True)}


def closes_when_idle(connection: socket.socket, _number: int) -> None:
    connection.settimeout(0.02)
    while read_request(connection):
        connection.sendall(HELLO)


@pytest.fixture(scope="module")
def lifetimes() -> dict[str, FindingRecord]:
    """What max_lifetime finds out about servers that end connections for different reasons, all at the same time."""
    scripts = {
        "none": ends_after(1_000),
        "announced": ends_at_age(0.5, says_so=True),
        "in HTTP/1.0": ends_at_age(0.5, says_so=True, last=b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        "silent": ends_at_age(0.5, says_so=False),
        "two requests": ends_after(2, last=BYE),
        "requests": ends_after(6, last=BYE),
        "idle": closes_when_idle,
        "first": ends_after(1, last=BYE),
    }
    with ExitStack() as stack:
        servers = {
            name: f"http://127.0.0.1:{stack.enter_context(scripted_server(script))}/"
            for name, script in scripts.items()
        }
        return findings_of(servers, "max_lifetime", idle_max_ns=IDLE_MAX_NS)


@pytest.mark.parametrize(("server", "verdict"), [("announced", "note"), ("silent", "warning")])
def test_a_lifetime_lies_between_its_bounds(lifetimes: dict[str, FindingRecord], server: str, verdict: str) -> None:
    found = lifetimes[server]
    low_ns, high_ns = found["values"]["min_lifetime_ns"], found["values"]["max_lifetime_ns"]
    assert found["verdict"] == verdict
    assert isinstance(low_ns, int)
    assert isinstance(high_ns, int)
    assert low_ns - 50 * NS_PER_MS <= NS_PER_S // 2 <= high_ns + 50 * NS_PER_MS
    assert high_ns - low_ns < 300 * NS_PER_MS


def test_a_lifetime_is_announced_as_the_last_response_did(lifetimes: dict[str, FindingRecord]) -> None:
    announced = {name: lifetimes[name]["announced"] for name in ("announced", "in HTTP/1.0", "silent")}
    assert announced == {
        "announced": "Connection: close with the last response",
        "in HTTP/1.0": "HTTP/1.0 without keep-alive",
        "silent": None,
    }


def test_a_number_of_requests_is_not_taken_for_a_lifetime(lifetimes: dict[str, FindingRecord]) -> None:
    assert lifetimes["none"]["verdict"] == lifetimes["requests"]["verdict"] == "ok"
    assert "closed after 6 requests" in lifetimes["requests"]["measured"]
    longer_ns = lifetimes["none"]["values"]["longer_than_ns"]
    assert isinstance(longer_ns, int)
    assert NS_PER_S <= longer_ns <= IDLE_MAX_NS + NS_PER_S // 10
    assert lifetimes["first"]["verdict"] == lifetimes["idle"]["verdict"] == "unknown"


def test_a_lifetime_that_is_over_after_the_first_pause(lifetimes: dict[str, FindingRecord]) -> None:
    with scripted_server(ends_at_age(0.25, says_so=True)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "max_lifetime", idle_max_ns=6 * NS_PER_S)
    assert (found["verdict"], found["values"]["announced"]) == ("note", True)
    assert found["measured"].endswith("as announced")
    assert "closed after 2 requests" in lifetimes["two requests"]["measured"]


def test_a_response_that_asks_for_fewer_requests_is_no_lifetime() -> None:
    busy = BYE.replace(b"200 OK", b"503 Service Unavailable")
    answered = []

    def script(connection: socket.socket, number: int) -> None:
        while number < 3 and read_request(connection):
            answered.append(number)
            connection.sendall(HELLO if len(answered) < 6 else busy)

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "max_lifetime", idle_max_ns=400 * NS_PER_MS)
    assert (found["verdict"], found["measured"]) == ("unknown", "status 503: the server wants fewer requests")
