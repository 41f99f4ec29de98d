"""What a proxy did with fields for one hop: the finding from what the target received, and what is not known."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from loadgen.model.units import NS_PER_MS
from loadgen.probe.hop_by_hop import check_hops, judge
from loadgen.wire.http1.head import parse_response_head
from tests.support.probes import SENT, plan_for
from tests.support.processes import Script, read_request, scripted_server

LOWER = [name.lower() for name in SENT]
SILENT = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
TELLING = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-loadgen-hop: response\r\n\r\n")


def test_a_proxy_that_removes_all() -> None:
    found = judge(SENT, [("Host", "h"), ("Via", "1.1 a"), ("via", "1.0 b"), ("Connection", "keep-alive")], SILENT)
    assert found == {
        "removed": LOWER, "forwarded": [], "response_removed": True, "via": "1.1 a, 1.0 b", "reason": None,
    }  # fmt: skip


def test_a_proxy_that_passes_all_on() -> None:
    received = [(name, "x") for name in SENT] + [("Connection", "keep-alive, X-Loadgen-Hop, TE")]
    found = judge(SENT, received, TELLING)
    assert (found["removed"], found["forwarded"]) == ([], LOWER)
    assert (found["response_removed"], found["via"]) == (False, None)


def test_what_a_proxy_sends_for_itself_it_has_not_passed_on() -> None:
    received = [("TE", "trailers"), ("Keep-Alive", "timeout=9"), ("Connection", "te"), ("Connection", "close , ")]
    assert judge(SENT, received, SILENT)["forwarded"] == ["keep-alive"]


def test_a_proxy_that_takes_trailer_sections_may_say_so_itself() -> None:
    """Go's reverse proxy sends TE without naming it in Connection; it is its own, as its value shows."""
    assert judge(SENT, [("Te", "trailers")], SILENT)["forwarded"] == []
    assert judge(SENT, [("TE", "trailers, deflate;q=0.5")], SILENT)["forwarded"] == ["te"]


@pytest.mark.parametrize(
    ("url", "policies"), [("https://h/", "persistent,close"), ("http://h/", "websocket,h2-prior,h2")]
)
def test_through_tunnels_there_is_nothing_to_ask(url: str, policies: str) -> None:
    found = check_hops(plan_for(url, "http://127.0.0.1:1", policies))
    assert found["reason"] == "not applicable: through a tunnel the proxy sees no fields"
    assert found["response_removed"] is None


def answering(answer: bytes) -> Script:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(answer)

    return script


def with_body(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


NOT_REPORTED = "unknown: the target does not say what it received"
UNKNOWN = {
    "not ours": (with_body(b"404 Not Found", b""), NOT_REPORTED),
    "not JSON": (with_body(b"200 OK", b"<html>"), NOT_REPORTED),
    "other JSON": (with_body(b"200 OK", b'{"fields": 5}'), NOT_REPORTED),
    "a list": (with_body(b"200 OK", b"[]"), NOT_REPORTED),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", "unknown: the answer is not HTTP: the response starts with 'SSH-2.0-x"),
    "nothing": (b"", "unknown: the server closed the connection instead of answering"),
    "half": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        "unknown: the server closed the connection instead of answering after 39 bytes",
    ),
    "Digest": (b"HTTP/1.1 407 No\r\nProxy-Authenticate: Digest x=1\r\nContent-Length: 0\r\n\r\n", "it asks for Digest"),
}


@pytest.mark.parametrize(("answer", "expected"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_finding_that_is_not_known_has_its_reason(answer: bytes, expected: str) -> None:
    with scripted_server(answering(answer)) as port:
        found = check_hops(plan_for("http://h/", f"http://127.0.0.1:{port}"))
    assert expected in found["reason"]
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


def test_a_slow_answer_is_not_waited_for_without_end(closed_port: int) -> None:
    with dripping() as port:
        plan = plan_for("http://h/", f"http://127.0.0.1:{port}")
        found = check_hops(replace(plan, load=replace(plan.load, timeout_ns=300 * NS_PER_MS)))
    assert found["reason"].startswith("unknown: no answer within the time allowed after ")
    found = check_hops(plan_for("http://h/", f"http://127.0.0.1:{closed_port}"))
    assert found["reason"] == "unknown: connect: Connection refused"


def test_a_proxy_that_is_just_starting_is_asked_again() -> None:
    answer = with_body(b"200 OK", b'{"fields": [["Via", "1.1 a"]]}')

    def script(connection: socket.socket, number: int) -> None:
        read_request(connection)
        if number:
            connection.sendall(answer)

    with scripted_server(script) as port:
        found = check_hops(plan_for("http://h/", f"http://127.0.0.1:{port}"))
    assert (found["via"], found["forwarded"], found["reason"]) == ("1.1 a", [], None)
