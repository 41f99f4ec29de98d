"""Connections to the target itself, whatever the way there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.session import AuditState, ProbeSession
from loadgen.probe.trace import Traces
from loadgen.probe.tunnelling import end_to_end_fields, open_end_to_end
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from loadgen.wire import poller
from loadgen.wire.route import Route
from tests.support.processes import HELLO, read_request, scripted_server
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.target_thread import target_in_thread


def session_for(plan: AuditPlan) -> ProbeSession:
    route = Route.of(plan)
    now_ns = poller.of_hub().monotonic_ns()
    return ProbeSession(AuditState(plan, route, Traces(now_ns), now_ns + 10 * NS_PER_S), "test", 1, 1)


def test_in_clear_through_a_proxy_s_tunnel() -> None:
    received = []

    def script(connection: socket.socket, _number: int) -> None:
        received.append(read_request(connection))
        connection.sendall(HELLO)

    with scripted_server(script) as port, fake_proxy() as (fake, proxy_port):
        target = parse_target(f"http://127.0.0.1:{port}/x")
        session = session_for(AuditPlan(target=target, headers=(("X", "y"),), proxy=parse_proxy(proxy_url(proxy_port))))
        with open_end_to_end(session) as stream:
            session.send(stream, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert session.read(stream).body == b"hello"
    assert received == [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"]
    assert fake.heads[-1].startswith(b"CONNECT 127.0.0.1:")
    assert not session.route.tunnels, "the other probes' way stays as it is"
    assert end_to_end_fields(session)[0] == ("Host", f"127.0.0.1:{port}")
    assert end_to_end_fields(session)[-1] == ("X", "y")


@pytest.mark.parametrize("offers_h2", [True, False])
def test_what_alpn_offers(tmp_path: Path, offers_h2: bool) -> None:
    context = server_context(("127.0.0.1",), tmp_path / "ca.pem", ("h2", "http/1.1"))
    with target_in_thread(Behaviour(), context) as server:
        plan = AuditPlan(target=parse_target(f"https://127.0.0.1:{server.port}/"), cacert=str(tmp_path / "ca.pem"))
        with open_end_to_end(session_for(plan), offers_h2=offers_h2) as stream:
            assert stream.transport.alpn == ("h2" if offers_h2 else "http/1.1")  # type: ignore[attr-defined] # TLS has it
