"""What is made of the fields that came through a proxy to its far end (RFC 9110 §7.6.1)."""

from __future__ import annotations

from loadgen.measure.warnings.proxy import proxy_warnings
from loadgen.probe.hop_by_hop import judge
from loadgen.wire.http1.head import parse_response_head

SENT = ["X-Loadgen-Hop", "TE", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization"]


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


def test_warnings() -> None:
    found = judge(SENT, [("TE", "x"), ("Keep-Alive", "x")], TELLING)
    (warning,) = proxy_warnings({"proxy": {"address": "p:1", "hop_by_hop": found}})
    assert warning["code"] == "hop_by_hop_forwarded"
    assert "p:1 passed on" in warning["message"]
    assert "te, keep-alive of the request and a field that the response's Connection named" in warning["message"]
    clean = judge(SENT, [], SILENT)
    for environment in ({}, {"proxy": {"address": "p:1", "hop_by_hop": clean}}, {"proxy": None}, {"proxy": {}}):
        assert proxy_warnings(environment) == []
