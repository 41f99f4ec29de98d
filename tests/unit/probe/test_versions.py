"""The probes of HTTP's versions with servers that keep the rules; the table of violations has those that break them."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hyperframe.frame import GoAwayFrame, SettingsFrame
from OpenSSL import SSL

from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.http2.h2c_offer import is_h2c, switched_to
from loadgen.probe.http2.http2_link import Way, open_http2
from loadgen.probe.session import AuditState, ProbeSession
from loadgen.probe.versions.h3_announced import Alternative, alternatives
from loadgen.probe.versions.http2_response import failed_response
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context as target_context
from loadgen.wire.http1.head import parse_response_head
from tests.support.audits import audit, finding
from tests.support.processes import BYE, HELLO, Script, read_request, scripted_server
from tests.support.secure_servers import SecureServer, in_turns, secure_server, server_context, trust
from tests.support.target_thread import target_in_thread
from tests.support.violations.persistence import keeps, serves
from tests.support.violations.versions import resets_each_stream, to_offers

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
NOT_HERE = b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
HTTP10 = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_the_embedded_target_speaks_them_all_in_clear() -> None:
    with target_in_thread(Behaviour()) as server:
        found = audit(f"http://127.0.0.1:{server.port}/", "versions")
    assert {name: (one["verdict"], one["measured"]) for name, one in found["findings"].items()} == {
        "http11": ("ok", "HTTP/1.1, status 200"),
        "http10": ("ok", "HTTP/1.1, status 200"),
        "h2c_upgrade": ("ok", "accepted, status 200 over HTTP/2"),
        "h2_prior_knowledge": ("ok", "spoken, status 200"),
        "h3_announced": ("ok", "not announced"),
    }
    assert set(found["skipped"]) == {"h2_alpn", "alpn_required"}


@pytest.mark.parametrize(("declines", "agreed"), [(frozenset[str](), True), (frozenset({"h2"}), False)])
def test_over_tls_alpn_decides(declines: frozenset[str], agreed: bool, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    protocols = ("h2", "http/1.1") if agreed else ("http/1.1",)
    context = target_context(("localhost", "127.0.0.1"), ca_file, protocols)
    with target_in_thread(Behaviour(declines=declines), context) as server:
        found = audit(f"https://127.0.0.1:{server.port}/", "versions", cacert=str(ca_file))
    findings = found["findings"]
    assert {one["verdict"] for one in findings.values()} == {"ok"}
    assert findings["h2_alpn"]["values"] == ({"agreed": True, "status": 200} if agreed else {"agreed": False})
    assert findings["alpn_required"]["values"] == {"works_without_alpn": True, "works_with_http11_alone": True}
    assert set(found["skipped"]) == {"h2c_upgrade", "h2_prior_knowledge"}


@pytest.mark.parametrize(
    ("takes", "refused", "measured"),
    [
        ([b"h2"], "works_with_http11_alone", "a client of HTTP/1.1 alone is refused"),
        ([b"h2", b"http/1.1"], "works_without_alpn", "a client without ALPN is refused"),
    ],
)
def test_a_server_that_wants_alpn(takes: list[bytes], refused: str, measured: str, tmp_path: Path) -> None:
    """It answers only where one of these was agreed on."""
    context = server_context()
    context.set_alpn_select_callback(
        lambda _, offered: next((one for one in takes if one in offered), SSL.NO_OVERLAPPING_PROTOCOLS)
    )

    class Choosy(SecureServer):
        def script(self, connection: socket.socket, number: int) -> None:
            connection.setblocking(True)
            stream = SSL.Connection(context, connection)
            stream.set_accept_state()
            stream.do_handshake()
            # At its end the audit looks whether the server is still there, and closes without a request.
            with suppress(SSL.Error):
                if stream.get_alpn_proto_negotiated() == b"http/1.1":
                    stream.recv(9999)
                    stream.sendall(HELLO)
                stream.shutdown()

    with secure_server(Choosy(in_turns(context))) as url:
        found = finding(url, "alpn_required", **trust(tmp_path))
    assert found["verdict"] == "warning"
    assert found["values"][refused] is False
    assert found["measured"].startswith(measured)


def test_a_server_that_serves_nobody_wants_no_alpn(tmp_path: Path) -> None:
    class Hasty(SecureServer):
        def script(self, connection: socket.socket, number: int) -> None:
            connection.setblocking(True)
            stream = SSL.Connection(server_context(), connection)
            stream.set_accept_state()
            stream.do_handshake()

    with secure_server(Hasty(in_turns(server_context()))) as url:
        found = finding(url, "alpn_required", **trust(tmp_path))
    assert (found["verdict"], found["measured"][:23]) == ("unknown", "no TLS client is served")


def test_a_port_of_http2_alone_that_answers_nothing_else() -> None:
    def speaks_http2(connection: socket.socket, _number: int) -> None:
        if connection.recv(3) == b"PRI":
            connection.sendall(SettingsFrame(0).serialize())
            connection.recv(9999)

    with scripted_server(speaks_http2) as port:
        found = finding(f"http://127.0.0.1:{port}/", "http11")
    assert (found["verdict"], found["measured"]) == ("warning", "it speaks HTTP/2 alone")


@pytest.mark.parametrize("name", ["h2c_upgrade", "persistent_by_default", "idle_timeout"])
def test_a_server_that_limits_its_clients_is_accused_of_nothing(name: str) -> None:
    busy = BYE.replace(b"200 OK", b"503 Service Unavailable")

    def limits(connection: socket.socket, number: int) -> None:
        serves(busy if number else HELLO)(connection, number)

    with scripted_server(limits) as port:
        found = finding(f"http://127.0.0.1:{port}/", name)
    assert (found["verdict"], found["measured"]) == ("unknown", "status 503: the server wants fewer requests")


@pytest.mark.parametrize(
    ("script", "measured"),
    [(keeps(NOT_FOUND), "HTTP/1.1, status 404"), (keeps(HTTP10), "HTTP/1.0, status 200")],
)
def test_what_is_worth_knowing_of_an_answer(script: Script, measured: str) -> None:
    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "http11")
    assert (found["verdict"], found["measured"]) == ("note", measured)


def test_a_response_that_has_hardly_begun_is_no_other_protocol() -> None:
    def is_slow(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(b"HT")
        connection.recv(1)

    with scripted_server(is_slow) as port:
        found = finding(f"http://127.0.0.1:{port}/", "http11", timeout_ns=NS_PER_S // 5)
    assert found["measured"] == "a response that is not whole: no answer within the time allowed after 2 bytes"
    assert "--timeout" in str(found["advice"])


def test_a_server_without_tls_under_https() -> None:
    def answers_anything(connection: socket.socket, _number: int) -> None:
        connection.recv(9999)
        connection.sendall(HELLO)

    with scripted_server(answers_anything) as port:
        found = finding(f"https://127.0.0.1:{port}/", "http11")
    assert found["verdict"] == "warning"
    assert found["measured"].startswith("no TLS handshake: ")


def test_one_loss_of_a_request_of_http10_is_chance() -> None:
    def loses_one(connection: socket.socket, number: int) -> None:
        if number != 1:
            keeps(HELLO)(connection, number)

    with scripted_server(loses_one) as port:
        found = finding(f"http://127.0.0.1:{port}/", "http10")
    assert (found["verdict"], found["values"]["answered"]) == ("ok", True)


def test_http10_may_be_refused() -> None:
    def refuses(connection: socket.socket, number: int) -> None:
        (serves(HELLO) if number == 0 else serves(NOT_HERE))(connection, number)

    with scripted_server(refuses) as port:
        found = finding(f"http://127.0.0.1:{port}/", "http10")
    assert (found["verdict"], found["measured"]) == ("note", "refused with 505")


def test_a_server_of_http11_declines_http2_quietly() -> None:
    with scripted_server(keeps(HELLO)) as port:
        found = audit(f"http://127.0.0.1:{port}/", "h2c_upgrade", "h2_prior_knowledge")["findings"]
    assert {one["verdict"] for one in found.values()} == {"ok"}
    assert found["h2c_upgrade"]["values"] == {"accepted": False, "status": 200}
    assert found["h2_prior_knowledge"]["values"] == {"spoken": False}


SWITCHES = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@pytest.mark.parametrize(
    ("probe", "script", "measured"),
    [
        ("h2_prior_knowledge", resets_each_stream, "SETTINGS came, but the request was reset: PROTOCOL_ERROR"),
        (
            "h2c_upgrade",
            to_offers(SWITCHES, SettingsFrame(0).serialize(), GoAwayFrame(0, error_code=11).serialize()),
            "accepted, but no response: the server closed the connection instead of answering; GOAWAY ENHANCE_",
        ),
        ("h2c_upgrade", to_offers(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "no response to the offer: the answer is not HTTP: "),
    ],
)
def test_why_no_response_comes_over_http2(probe: str, script: Script, measured: str) -> None:
    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", probe)
    assert found["verdict"] == "warning"
    assert found["measured"].startswith(measured)


def test_a_response_over_http2_is_no_failed_one() -> None:
    with target_in_thread(Behaviour()) as server:
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{server.port}/"))
        with open_http2(ProbeSession(AuditState.of(plan), "http11", 1, 1), Way.PRIOR) as link:
            stream = link.start()
            assert failed_response(link, stream, "agreed on", {}, "none") is None
    assert (stream.status, stream.answered) == (200, True)


@pytest.mark.parametrize(
    ("lines", "protocols", "is_ours"),
    [
        (b"Upgrade: H2C\r\n", ["H2C"], True),
        (b"Upgrade: h2c\r\nupgrade: websocket\r\n", ["h2c", "websocket"], False),
        (b"", [], False),
    ],
)
def test_what_a_101_switches_to(lines: bytes, protocols: list[str], is_ours: bool) -> None:
    named = switched_to(parse_response_head(b"HTTP/1.1 101 Switching Protocols\r\n" + lines + b"\r\n"))
    assert (named, is_h2c(named)) == (protocols, is_ours)


def test_a_long_response_over_http2_is_no_fault() -> None:
    with target_in_thread(Behaviour()) as server:
        found = finding(f"http://127.0.0.1:{server.port}/?size=9000000", "h2_prior_knowledge")
    assert found["verdict"] == "note"
    assert found["measured"].startswith("SETTINGS came; the response is longer than the 8 MiB that are read")


@pytest.mark.parametrize(
    ("field", "verdict", "measured"),
    [
        ('h2="alt:443", h3-29=":443"; ma=60, h3=":8443"; ma=3600; persist=1', "note", "h3 at :8443 for 3,600 s"),
        ('h2="alt:443"', "ok", "not announced, but other alternatives are"),
        ("clear", "ok", "withdrawn"),
    ],
)
def test_http3_by_alt_svc(field: str, verdict: str, measured: str) -> None:
    response = HELLO.replace(b"OK\r\n", b"OK\r\nAlt-Svc: " + field.encode() + b"\r\n")
    with scripted_server(serves(response)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "h3_announced")
    assert (found["verdict"], found["announced"], found["measured"]) == (verdict, field, measured)


def test_alternatives_of_a_field() -> None:
    assert alternatives('h3=":443"; ma="60" , w=":1"') == [Alternative("h3", ":443", 60), Alternative("w", ":1", 86400)]
    assert alternatives('h3="a,b";x="y,z";ma=5') == [Alternative("h3", "a,b", 5)]
    assert alternatives("clear") == alternatives("") == alternatives("h3=:443") == []
