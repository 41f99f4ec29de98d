"""The exchange that probes share: in clear, over verified TLS, by a proxy, and through its tunnel."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.probe.exchange import FAILURES, describe, exchange, patiently
from tests.support.probes import plan_for
from tests.support.processes import read_request, scripted_server
from tests.support.proxies import asks, fake_proxy, proxy_url

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
FIELDS = (("X-Test", "1"),)


class Server:
    """Answers every request with RESPONSE; keeps the requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._context = context

    def script(self, connection: socket.socket, _number: int) -> None:
        if self._context is None:
            self._answer(connection)
            return
        try:
            with self._context.wrap_socket(connection, server_side=True) as secure:
                self._answer(secure)
        except ssl.SSLError:  # a client that does not trust us
            return

    def _answer(self, connection: socket.socket) -> None:
        self.requests.append(read_request(connection))
        connection.sendall(RESPONSE)


@contextmanager
def secure_server(directory: Path) -> Iterator[tuple[Server, Plan]]:
    """A TLS server, and a plan that trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    server = Server(context)
    with scripted_server(server.script) as port:
        target = parse_target(f"https://127.0.0.1:{port}/")
        yield server, Plan(target, parse_policies("persistent"), cacert=str(directory / "ca.pem"))


def test_in_clear() -> None:
    server = Server()
    with scripted_server(server.script) as port:
        plan = Plan(parse_target(f"http://127.0.0.1:{port}/"), parse_policies("persistent"))
        response = exchange(plan, "/x", FIELDS, "close")
    assert (response.head.status, response.body) == (200, b"hi")
    (request,) = server.requests
    assert request.startswith(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port)
    assert b"X-Test: 1\r\n" in request
    assert b"Connection: close\r\n" in request


def test_over_verified_tls(tmp_path: Path) -> None:
    with secure_server(tmp_path) as (server, plan):
        assert exchange(plan, "/x", FIELDS, "close").body == b"hi"
    assert len(server.requests) == 1


def test_a_certificate_that_is_not_trusted_is_refused_unless_insecure(tmp_path: Path) -> None:
    with secure_server(tmp_path) as (server, plan):
        with pytest.raises(FAILURES) as caught:
            exchange(replace(plan, cacert=None), "/x", FIELDS, "close")
        assert "self-signed" in describe(caught.value) or "unable to get local issuer" in describe(caught.value)
        assert server.requests == []
        assert exchange(replace(plan, cacert=None, insecure=True), "/x", FIELDS, "close").body == b"hi"


def test_by_a_proxy_in_absolute_form() -> None:
    server = Server()
    with scripted_server(server.script) as port:
        exchange(plan_for("http://h:81/", f"http://127.0.0.1:{port}"), "/x", FIELDS, "close")
    (request,) = server.requests
    assert request.startswith(b"GET http://h:81/x HTTP/1.1\r\nHost: h:81\r\n")


@pytest.mark.parametrize("wants", [True, False])
def test_through_a_proxy_s_tunnel(tmp_path: Path, wants: bool) -> None:
    with secure_server(tmp_path) as (server, plan), fake_proxy(asks if wants else None) as (fake, port):
        by_proxy = plan_for(str(plan.target), proxy_url(port))
        assert exchange(replace(by_proxy, cacert=plan.cacert), "/x", FIELDS, "close").body == b"hi"
    assert server.requests[0].startswith(b"GET /x HTTP/1.1\r\n")
    assert fake.heads[-1].startswith(f"CONNECT {plan.target.authority} HTTP/1.1\r\n".encode())
    assert fake.asked == (1 if wants else 0)


def test_a_connection_that_is_closed_without_a_response() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)

    with scripted_server(script) as port:
        plan = Plan(parse_target(f"http://127.0.0.1:{port}/"), parse_policies("persistent"))
        with pytest.raises(FAILURES) as caught:
            exchange(plan, "/x", FIELDS, "close")
    assert describe(caught.value) == "the connection was closed before the response was complete"


@pytest.mark.parametrize(("failures", "tries"), [(0, 1), (2, 3), (4, 5), (9, 5)])
def test_who_is_just_starting_is_asked_a_few_times(monkeypatch: pytest.MonkeyPatch, failures: int, tries: int) -> None:
    pauses_s: list[float] = []
    monkeypatch.setattr("loadgen.probe.exchange.sleep", pauses_s.append)
    asked: list[int] = []

    def ask() -> Any:
        asked.append(1)
        if len(asked) <= failures:
            raise ConnectionRefusedError
        return "answer"

    if failures < tries:
        assert patiently(ask) == "answer"  # type: ignore[comparison-overlap] # stands for a response
    else:
        with pytest.raises(ConnectionRefusedError):
            patiently(ask)
    assert len(asked) == tries
    assert pauses_s == [0.1, 0.2, 0.4, 0.8][: tries - 1]
