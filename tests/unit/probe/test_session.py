"""What one probe works with: its budget, its requests, its responses, other probes' findings."""

from __future__ import annotations

import copy
import socket

import gevent
import pytest
from gevent.event import AsyncResult

from loadgen.model.addressing import Addressing
from loadgen.model.audit import Verdict
from loadgen.model.endpoint import parse_resolve_rule
from loadgen.model.leniency import Leniency
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse, OpenFailure, OverBudget
from loadgen.probe.finding import Finding
from loadgen.probe.session import AuditState, ProbeSession, Reply, Spent
from loadgen.target.name_server import NameServer
from tests.support.processes import HELLO, Script, scripted_server
from tests.support.racing import refusing
from tests.support.violations.persistence import keeps, serves

SOON_NS = NS_PER_S // 10


def session_for(port: int, url: str = "", **plan: object) -> ProbeSession:
    """A session that may send two requests on two connections."""
    fields = {"target": parse_target(url or f"http://127.0.0.1:{port}/x?y=1"), "timeout_ns": SOON_NS} | plan
    return ProbeSession(AuditState.of(AuditPlan(**fields)), "test", 2, 2)  # type: ignore[arg-type] # of the test's


def ask(script: Script, **plan: object) -> Reply:
    with scripted_server(script) as port:
        session = session_for(port, **plan)
        with session.open() as stream:
            return session.ask(stream)


def test_a_response_with_its_times_and_what_surrounds_it() -> None:
    reply = ask(
        serves(
            b"HTTP/1.1 103 Early Hints\r\n\r\n"
            b"HTTP/1.1 200 OK\nVary: a\r\nvary: b\r\nContent-Length: 2\r\n\r\nhi" + b"surplus"
        )
    )
    assert (reply.head.status, reply.body, reply.extra, reply.interim) == (200, b"hi", b"surplus", 1)
    assert (reply.field("Vary"), reply.field("Via")) == ("a, b", None)
    assert reply.persists
    assert reply.notes == Leniency.BARE_LF
    assert 0 < reply.sent_ns <= reply.first_ns <= reply.done_ns


@pytest.mark.parametrize(
    ("response", "how", "text"),
    [
        (b"", Loss.FIN, "closed the connection instead of answering"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Loss.FIN, r"instead of answering after \d+ bytes"),
        (b"SSH-2.0-OpenSSH\r\n", Loss.MALFORMED, "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Loss.TOO_LONG, "longer than the 8 MiB"),
    ],
)
def test_no_response(response: bytes, how: Loss, text: str) -> None:
    with pytest.raises(NoResponse, match=text) as caught:
        ask(serves(response))
    assert caught.value.how is how
    assert caught.value.received == response


def test_no_response_in_time() -> None:
    with pytest.raises(NoResponse, match="no answer within the time allowed after 17 bytes") as caught:
        ask(keeps(b"HTTP/1.1 200 OK\r\n"))
    assert caught.value.how is Loss.TIMEOUT


def test_pipelined_responses_are_told_apart() -> None:
    with scripted_server(serves(HELLO + HELLO.replace(b"hello", b"again"))) as port:
        session = session_for(port)
        with session.open() as stream:
            sent_ns = session.send(stream, session.request() * 2, requests=2)
            first = session.read(stream, sent_ns, pipelined=True)
            second = session.read(stream, sent_ns, rest=first.extra)
    assert (first.body, second.body, second.extra) == (b"hello", b"again", b"")
    assert session.spent.requests == 2


def test_the_budget_is_what_was_said_beforehand() -> None:
    with scripted_server(keeps(HELLO)) as port:
        session = session_for(port)
        with session.open() as stream, session.open():
            session.ask(stream)
            with pytest.raises(OverBudget, match="more than 2 requests"):
                session.send(stream, session.request(), requests=2)
            session.ask(stream)
            with pytest.raises(OverBudget, match="more than 2 connections"):
                session.open()
    assert (session.spent.requests, session.spent.connections) == (2, 2)


def test_a_connection_that_fails_is_spent_too() -> None:
    with scripted_server(keeps(HELLO)) as port:
        session = session_for(port)
    with pytest.raises(OpenFailure, match="Connection refused"):
        session.open()
    assert session.spent.connections == 1


def test_requests_have_the_user_s_fields_and_the_probe_s() -> None:
    session = session_for(1, headers=(("X-Key", "1"), ("Accept", "a/b")))
    request = session.request(fields=(("accept", "c/d"),), connection="close", version="1.0", method="HEAD")
    assert request.startswith(b"HEAD /x?y=1 HTTP/1.0\r\nHost: 127.0.0.1:1\r\n")
    assert b"X-Key: 1\r\n" in request
    assert b"Connection: close\r\n" in request
    assert b"accept: c/d\r\n" in request
    assert b"a/b" not in request


def test_a_proxy_that_forwards_gets_the_absolute_form() -> None:
    session = session_for(1, "http://h.invalid/x", proxy=parse_proxy("http://127.0.0.1:9"))
    assert session.request(path="/y").startswith(b"GET http://h.invalid/y HTTP/1.1\r\nHost: h.invalid\r\n")
    tunnelled = session_for(1, "https://h.invalid/x", proxy=parse_proxy("http://127.0.0.1:9"))
    assert tunnelled.request().startswith(b"GET /x HTTP/1.1\r\nHost: h.invalid\r\n")


def test_the_plan_s_dns_server_is_asked() -> None:
    server = NameServer("127.0.0.1", 0, lambda: ["127.0.0.7"], ttl_s=1)
    try:
        plan = Addressing(dns_server=f"127.0.0.1:{server.port}")
        found = session_for(80, url="http://in-this-server-alone.test/", addressing=plan).addresses()
    finally:
        server.close()
    assert found == [(socket.AF_INET, ("127.0.0.7", 80))]


def test_an_audit_races_once_and_stays_with_the_address_that_won() -> None:
    with scripted_server(keeps(HELLO)) as port, refusing(socket.AF_INET6, port):
        rule = parse_resolve_rule(f"h.test:{port}:[::1],127.0.0.1")
        plan = Addressing(resolve=(rule,), happy_eyeballs_ns=NS_PER_S)
        session = session_for(port, url=f"http://h.test:{port}/", addressing=plan)
        for _ in range(2):
            with session.open() as stream:
                assert session.ask(stream).body == b"hello"
        assert session.route.races.take()["attempts"] == 2
        assert [one[1][0] for one in session.addresses()] == ["127.0.0.1", "::1"]
        other = copy.copy(session)
        other.spent = Spent()
        with pytest.raises(OpenFailure, match="refused"):  # a probe of one address asks that one
            other.open(address=session.addresses()[1])


def test_no_wait_outlasts_the_audit() -> None:
    state = AuditState.of(AuditPlan(target=parse_target("http://127.0.0.1/"), max_time_ns=SOON_NS))
    session = ProbeSession(state, "test", 0, 0)
    assert session.until_ns(60 * NS_PER_S) == session.timeout_at_ns == session.deadline_ns


def test_a_finding_of_another_probe_is_waited_for() -> None:
    state = AuditState.of(AuditPlan(target=parse_target("http://127.0.0.1/")))
    state.findings["slow"] = AsyncResult()
    session = ProbeSession(state, "test", 0, 0)
    assert not session.has_ended("slow", 0)
    found = Finding(verdict=Verdict.OK, measured="5 s")
    gevent.spawn_later(0.01, state.findings["slow"].set, found)
    assert session.finding("slow") is found
    assert session.has_ended("slow", 0)
    assert session.finding("of none") is None
