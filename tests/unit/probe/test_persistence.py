"""The probes of persistence with servers that keep the rules; those that break them are in the table of violations."""

from __future__ import annotations

import socket

import pytest

from loadgen.model.proxy import parse_proxy
from loadgen.model.units import NS_PER_S
from tests.support.audits import audit, finding
from tests.support.processes import BYE, HELLO, Script, read_request, scripted_server
from tests.support.violations.persistence import falls_silent, keeps, serves

KEEPS_HTTP10 = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"
HTTP10 = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nhello"
"""Of a server that streams: what it says of the connection does not hold, and costs no request."""
ENDLESS10 = ENDLESS.replace(b"HTTP/1.1", b"HTTP/1.0")
WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\n\r\nhello"
TWO_FRAMINGS = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
LISTED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5, max=9\r\n\r\nhello"


def is_careful(connection: socket.socket, _number: int) -> None:
    """Keeps the rules of both versions."""
    while request := read_request(connection):
        is_old = b" HTTP/1.0\r\n" in request
        if is_old and b"Connection: keep-alive" not in request:
            connection.sendall(BYE)
            return
        connection.sendall(LISTED)


def test_a_careful_server_has_nothing_to_hear() -> None:
    with scripted_server(is_careful) as port:
        found = audit(f"http://127.0.0.1:{port}/", "persistence")
    assert {name: one["verdict"] for name, one in found["findings"].items()} == {
        "persistent_by_default": "ok",
        "closes_http10": "ok",
        "keep_alive_http10": "ok",
        "as_announced": "ok",
    }
    assert found["findings"]["persistent_by_default"]["values"] == {"answered": 3, "requests": 3, "connections": 1}
    assert found["findings"]["closes_http10"]["values"]["closed"] is True
    announced = found["findings"]["as_announced"]
    assert announced["announced"] == "Connection: Keep-Alive; Keep-Alive: timeout=5, max=9"
    assert announced["values"] == {"says_close": False, "says_keep_alive": True, "what": "answered"}


@pytest.mark.parametrize(
    ("response", "measured"),
    [
        (BYE, "closed after 1, as announced"),
        (HTTP10, "closed after 1, as HTTP/1.0 does"),
        (WITHOUT_LENGTH, "closed after 1, which ends a response without a length"),
        (TWO_FRAMINGS, "closed after 1, as its framing is faulty"),
        (ENDLESS10, "closed after 1, which ends a response without a length"),
    ],
)
def test_a_server_that_says_that_it_closes_breaks_no_rule(response: bytes, measured: str) -> None:
    with scripted_server(serves(response)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "persistent_by_default")
    assert (found["verdict"], found["measured"]) == ("note", measured)


def test_silence_behind_a_response_is_no_close() -> None:
    with scripted_server(falls_silent(HELLO)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "persistent_by_default", timeout_ns=NS_PER_S // 5)
    assert (found["verdict"], found["measured"]) == ("unknown", "no answer within the time allowed")


def test_a_single_close_is_no_violation() -> None:
    def closes_the_first(connection: socket.socket, number: int) -> None:
        # The audit's own first request comes on connection 0.
        (serves(HELLO) if number <= 1 else keeps(HELLO))(connection, number)

    with scripted_server(closes_the_first) as port:
        found = finding(f"http://127.0.0.1:{port}/", "persistent_by_default")
    assert (found["verdict"], found["values"]["connections"]) == ("note", 2)
    assert "1 of 2 connections closed early" in found["measured"]


@pytest.mark.parametrize(
    ("script", "verdict", "measured"),
    [
        (keeps(KEEPS_HTTP10), "ok", "kept: one more request was answered"),
        (keeps(HTTP10), "note", "kept, without saying so"),
        (serves(HTTP10), "note", "not kept"),
        (serves(ENDLESS), "note", "not kept: the close ends a response without a length"),
    ],
)
def test_keep_alive_in_http10(script: Script, verdict: str, measured: str) -> None:
    with scripted_server(script) as port:
        found = finding(f"http://127.0.0.1:{port}/", "keep_alive_http10")
    assert (found["verdict"], found["measured"]) == (verdict, measured)


def test_a_response_to_http10_that_never_ends() -> None:
    def never_closes(connection: socket.socket, number: int) -> None:
        if number == 0:
            serves(HELLO)(connection, number)
        else:
            keeps(WITHOUT_LENGTH)(connection, number)

    with scripted_server(never_closes) as port:
        found = finding(f"http://127.0.0.1:{port}/", "closes_http10", timeout_ns=NS_PER_S // 5)
    assert (found["verdict"], found["values"]) == ("warning", {"closed": False})
    assert "the response has no end" in found["measured"]


@pytest.mark.parametrize(
    ("response", "measured"),
    [
        (BYE, "says close, closed within"),
        (HTTP10, "says nothing, and closed, as HTTP/1.0 does"),
        (WITHOUT_LENGTH, "says nothing, and closed, which ends the response"),
        (ENDLESS, "says keep-alive, and closed, which ends the response"),
        (TWO_FRAMINGS, "says nothing, and closed, as its framing is faulty"),
    ],
)
def test_a_close_that_is_announced_or_expected(response: bytes, measured: str) -> None:
    with scripted_server(serves(response)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "as_announced")
    assert found["verdict"] == "ok"
    assert found["measured"].startswith(measured)


def test_a_forwarding_proxy_is_not_asked_to_keep_http10() -> None:
    with scripted_server(keeps(HELLO)) as port:
        proxy = parse_proxy(f"http://127.0.0.1:{port}")
        found = audit("http://target.invalid/", "keep_alive_http10", "persistent_by_default", proxy=proxy)
    assert list(found["skipped"]) == ["keep_alive_http10"]
    assert found["findings"]["persistent_by_default"]["verdict"] == "ok"
