"""The probes of connection options on servers that ignore what they do not know."""

from __future__ import annotations

import socket
from typing import Any

from loadgen.model.proxy import parse_proxy
from loadgen.probe.options import PROBES
from loadgen.probe.options.with_option import VALUES
from tests.support.audits import audit, finding
from tests.support.processes import BYE, HELLO, read_request, scripted_server
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.violations.options import answers

TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
WITH_TRAILER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nServer-Timing: a\r\n\r\n"


def values_of(found: Any) -> tuple[Any, ...]:
    return tuple(found["values"].get(name) for name in ("kept", "plain_kept", "keeps_http10"))


def test_options_that_are_ignored() -> None:
    with scripted_server(answers()) as port:
        found = audit(f"http://127.0.0.1:{port}/", "options")["findings"]
    assert {one["verdict"] for one in found.values()} == {"ok"}
    for probe in PROBES:
        assert found[probe.name]["values"].keys() <= probe.values.keys()
        assert VALUES.keys() <= probe.values.keys()
    assert values_of(found["proxy_connection"]) == (True, True, False)


def test_what_is_asked() -> None:
    requests = []

    def script(connection: socket.socket, _number: int) -> None:
        requests.append(read_request(connection))
        connection.sendall(BYE)

    with scripted_server(script) as port:
        found = audit(f"http://127.0.0.1:{port}/", "te_trailers", "unknown_options")["findings"]
    assert found["unknown_options"]["measured"] == "ignored; the connection is closed, as without it"
    assert any(b"\r\nTE: trailers\r\nConnection: TE\r\n" in request for request in requests)
    assert any(b"\r\nX-Loadgen-Option: 1\r\nConnection: X-Loadgen-Option\r\n" in request for request in requests)


def test_a_trailer_section_is_named() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            connection.sendall(WITH_TRAILER if b"TE: trailers" in request else HELLO)

    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "te_trailers")
    assert found["measured"] == "accepted; trailer section: server-timing"
    assert found["values"]["trailers"] == ["server-timing"]


def test_a_server_that_limits_its_clients_refuses_no_field() -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            is_limited = b"TE: trailers" in request or b"Proxy-Connection" in request
            connection.sendall(TOO_MANY if is_limited else HELLO)

    with scripted_server(script) as port:
        found = audit(f"http://127.0.0.1:{port}/", "te_trailers", "proxy_connection")["findings"]
    assert {(one["verdict"], one["measured"]) for one in found.values()} == {
        ("unknown", "status 429: the server wants fewer requests")
    }


def test_a_proxy_may_obey_what_was_made_for_proxies() -> None:
    with scripted_server(answers()) as port, fake_proxy(None) as (_, proxy_port):
        record = audit(f"http://127.0.0.1:{port}/", "options", proxy=parse_proxy(proxy_url(proxy_port)))
    assert "a proxy may obey" in record["skipped"]["proxy_connection"]
    assert {one["verdict"] for one in record["findings"].values()} == {"ok"}
