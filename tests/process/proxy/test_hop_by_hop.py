"""What a proxy does with fields that are for one hop alone, as its far end tells it (RFC 9110 §7.6.1)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.probe.hop_by_hop import check_hops
from loadgen.target.behaviour import FIELDS_PATH
from tests.support.processes import Script, free_port, read_request, scripted_server
from tests.support.proxies import REAL, asks, fake_proxy, proxy_url
from tests.support.runs import Start

LOWER = ["x-loadgen-hop", "te", "keep-alive", "proxy-connection", "proxy-authorization"]


def plan_for(url: str, proxy: str, policies: str = "persistent") -> Plan:
    return Plan(parse_target(url), parse_policies(policies), proxy=parse_proxy(proxy), load=Load(timeout_ns=10**9))


@pytest.mark.peer
@pytest.mark.parametrize("name", REAL)
def test_real_proxies_keep_them(share_target: Start, name: str) -> None:
    target = share_target()
    with REAL[name]() as port:
        found = check_hops(plan_for(target.url, proxy_url(port)), FIELDS_PATH)
    assert found["reason"] is None
    assert (found["forwarded"], found["response_removed"]) == ([], True)
    assert found["removed"] == LOWER
    assert name in found["via"]
    assert target.stats()["requests"] == 0


@pytest.mark.parametrize("wants", [True, False])
def test_a_bad_proxy_is_found_out(share_target: Start, wants: bool) -> None:
    target = share_target()
    with fake_proxy(asks if wants else None) as (fake, port):
        found = check_hops(plan_for(target.url, proxy_url(port)), FIELDS_PATH)
    # Credentials that nobody asked for are not sent, so nothing is known of them.
    assert found["forwarded"] == (LOWER if wants else LOWER[:-1])
    assert (found["response_removed"], found["via"], found["reason"]) == (False, None, None)
    assert fake.heads[-1].startswith(f"GET {target.url}.loadgen/fields HTTP/1.1\r\n".encode())
    assert (fake.asked, fake.shown) == ((1, 1) if wants else (0, 1))


@pytest.mark.parametrize(
    ("url", "policies"), [("https://h/", "persistent,close"), ("http://h/", "websocket,h2-prior,h2")]
)
def test_through_tunnels_there_is_nothing_to_ask(url: str, policies: str) -> None:
    found = check_hops(plan_for(url, "http://127.0.0.1:1", policies), FIELDS_PATH)
    assert found["reason"] == "not applicable: through a tunnel the proxy sees no fields"
    assert found["response_removed"] is None


def answering(answer: bytes) -> Script:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(answer)

    return script


def with_body(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


UNTOLD = "unknown: the target does not say what it received"
UNKNOWN = {
    "not ours": (with_body(b"404 Not Found", b""), UNTOLD),
    "not JSON": (with_body(b"200 OK", b"<html>"), UNTOLD),
    "other JSON": (with_body(b"200 OK", b'{"fields": 5}'), UNTOLD),
    "a list": (with_body(b"200 OK", b"[]"), UNTOLD),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", "unknown: Expected HTTP/"),
    "nothing": (b"", "unknown: the proxy closed the connection"),
    "half": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "unknown: the proxy closed the connection"),
    "Digest": (b"HTTP/1.1 407 No\r\nProxy-Authenticate: Digest x=1\r\nContent-Length: 0\r\n\r\n", "it asks for Digest"),
}


@pytest.mark.parametrize(("answer", "said"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_said(answer: bytes, said: str) -> None:
    with scripted_server(answering(answer)) as port:
        found = check_hops(plan_for("http://h/", f"http://127.0.0.1:{port}"), FIELDS_PATH)
    assert said in found["reason"]
    assert found["reason"].startswith("unknown: ")
    assert (found["removed"], found["forwarded"], found["response_removed"], found["via"]) == ([], [], None, None)


@contextmanager
def dripping() -> Iterator[int]:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.settimeout(0.02)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            connection.sendall(b"a")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    with scripted_server(script) as port:
        yield port


def test_nobody_is_waited_for_without_end() -> None:
    with dripping() as port:
        plan = plan_for("http://h/", f"http://127.0.0.1:{port}")
        found = check_hops(replace(plan, load=replace(plan.load, timeout_ns=300 * NS_PER_MS)), FIELDS_PATH)
    assert found["reason"] == "unknown: no answer within the time allowed"
    found = check_hops(plan_for("http://h/", f"http://127.0.0.1:{free_port()}"), FIELDS_PATH)
    assert found["reason"] == "unknown: Connection refused"
