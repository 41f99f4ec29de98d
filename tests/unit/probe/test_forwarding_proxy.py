"""The probe of a proxy before a run: when it asks, and its warning."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from loadgen.probe.before_load import probe_warnings
from loadgen.probe.forwarding_proxy import ForwardingProxy
from loadgen.probe.hop_by_hop import judge
from loadgen.wire.http1.head import parse_response_head
from tests.support.probes import SENT, plan_for

SILENT = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
TELLING = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-loadgen-hop: response\r\n\r\n")


def test_only_a_run_with_a_proxy_asks() -> None:
    plan = plan_for("http://h/", "http://127.0.0.1:1", "close")
    assert ForwardingProxy().applies(plan)
    assert not ForwardingProxy().applies(replace(plan, proxy=None))


def test_what_a_proxy_passed_on_is_warned_of() -> None:
    found = judge(SENT, [("TE", "x"), ("Keep-Alive", "x")], TELLING)
    (warning,) = probe_warnings({"proxy": {"address": "p:1", "hop_by_hop": found}})
    assert warning["code"] == "hop_by_hop_forwarded"
    assert "p:1 passed on" in warning["message"]
    assert "te, keep-alive of the request and a field that the response's Connection named" in warning["message"]
    clean = judge(SENT, [], SILENT)
    for environment in ({}, {"proxy": {"address": "p:1", "hop_by_hop": clean}}, {"proxy": None}, {"proxy": {}}):
        assert probe_warnings(environment) == []


def test_a_run_without_a_proxy_does_not_load_what_sends_requests() -> None:
    """It would take a sixth of the time in which `compare` starts."""
    line = "import sys, loadgen.cli.run_setup; print(*{'gevent', 'OpenSSL', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
