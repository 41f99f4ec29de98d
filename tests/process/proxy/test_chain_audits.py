"""The probes of a chain, with real proxies and with two of ours that do not watch their connections to the origin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import exp
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.model.audit import AuditRecord, FindingRecord
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.target.behaviour import Behaviour
from tests.support.audits import audit
from tests.support.careless_proxy import careless_proxy
from tests.support.processes import free_port, nginx_program, server_process
from tests.support.proxies import proxy_url, squid, tinyproxy
from tests.support.target_thread import target_in_thread

pytestmark = [pytest.mark.peer, pytest.mark.alone]  # they measure time
ORIGIN_NS = 150 * NS_PER_MS
REUSE = "upstream_reuse"
LIMITS: dict[str, int] = {"idle_max_ns": 450 * NS_PER_MS, "max_time_ns": 15 * NS_PER_S}
_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 500; }}
http {{
  access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 8; keepalive_timeout {keeps}; }}
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


@contextmanager
def nginx(folder: Path, origin: int, keeps: str) -> Iterator[str]:
    """nginx before an origin, to which it keeps idle connections for that long; gives its URL."""
    program = nginx_program()
    folder.mkdir()
    port = free_port()
    text = _NGINX.format(folder=folder, origin=origin, keeps=keeps, port=port)
    (folder / "nginx.conf").write_text(text, encoding="ascii")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, port):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AuditRecord]]:
    """All chains at the same time: each of them mostly waits.

    Those named `patient` ask for reuse alone, of an origin that keeps connections however long a busy machine takes.
    """
    folder = tmp_path_factory.mktemp("chains")
    with ExitStack() as stack:
        start = stack.enter_context
        brief = start(target_in_thread(Behaviour(idle_timeout_ns=ORIGIN_NS)))
        patient = start(target_in_thread(Behaviour(idle_timeout_ns=3 * NS_PER_S)))
        origin, patient_origin = (f"http://127.0.0.1:{one.port}/" for one in (brief, patient))
        behind = {"origin": parse_target(origin), **LIMITS}
        before_patient = {"origin": parse_target(patient_origin), **LIMITS}
        through = [{"proxy": parse_proxy(proxy_url(start(proxy())))} for proxy in (tinyproxy, squid)]
        chains: dict[str, tuple[str, str, dict[str, Any]]] = {
            "careless": (start(careless_proxy(brief.port)), "chain", behind),
            "repeating": (start(careless_proxy(brief.port, repeats=1)), "chain", behind),
            "nginx": (start(nginx(folder / "long", brief.port, "60s")), "chain", behind),
            "brief nginx": (
                start(nginx(folder / "brief", patient.port, "1s")),
                "chain",
                before_patient | {"idle_max_ns": 4 * NS_PER_S},
            ),
            "tinyproxy": (origin, "chain", through[0] | LIMITS),
            "squid": (origin, "chain", through[1] | LIMITS),
            "patient careless": (start(careless_proxy(patient.port)), REUSE, before_patient),
            "patient repeating": (start(careless_proxy(patient.port, repeats=1)), REUSE, before_patient),
            "patient nginx": (start(nginx(folder / "patient", patient.port, "60s")), REUSE, before_patient),
            "patient tinyproxy": (patient_origin, REUSE, through[0] | LIMITS),
            "patient squid": (patient_origin, REUSE, through[1] | LIMITS),
        }
        at_work = {name: gevent.spawn(audit, url, probes, **plan) for name, (url, probes, plan) in chains.items()}
        yield {name: greenlet.get() for name, greenlet in at_work.items()}


@pytest.fixture(scope="module")
def audits(records: dict[str, AuditRecord]) -> dict[str, AuditRecord]:
    """Those of whole chains."""
    return {name: one for name, one in records.items() if not name.startswith("patient ")}


def findings(audits: dict[str, AuditRecord], probe: str) -> dict[str, FindingRecord]:
    return {name: one["findings"][probe] for name, one in audits.items()}


def test_each_timeout_is_found(audits: dict[str, AuditRecord]) -> None:
    for name, one in findings(audits, "origin_idle_timeout").items():
        wanted_ns = 3 * NS_PER_S if name == "brief nginx" else ORIGIN_NS
        # The target looks at its connections 20 times per timeout, 10 times a second at least.
        assert wanted_ns - NS_PER_MS <= number(one, "timeout_ns") <= wanted_ns + 120 * NS_PER_MS
    proxies = findings(audits, "upstream_idle_timeout")
    assert number(proxies["brief nginx"], "timeout_ns") == pytest.approx(NS_PER_S, abs=100 * NS_PER_MS)
    assert proxies["tinyproxy"]["measured"] == "closes it after each response"
    for name in ("careless", "repeating", "nginx", "squid"):
        assert number(proxies[name], "longer_than_ns") >= LIMITS["idle_max_ns"]


def test_reuse_behind_the_proxy(records: dict[str, AuditRecord]) -> None:
    for name, one in findings(records, REUSE).items():
        verdict, reused = ("warning", 0) if "tinyproxy" in name else ("ok", 4)
        assert one["verdict"] == verdict
        if "patient" in name:
            assert one["values"]["others_reused"] == reused


def test_the_predicted_losses_are_those_that_are_counted(audits: dict[str, AuditRecord]) -> None:
    found = findings(audits, "chain_losses")
    one = found["careless"]
    assert (one["verdict"], one["values"]["way"], one["values"]["agrees"]) == ("warning", "blind", True)
    # Every gap that is longer than the origin's timeout loses a request: 1/e of exponential gaps with that mean.
    for what in ("predicted", "counted"):
        assert number(one, f"{what}_low") < exp(-1) < number(one, f"{what}_high")
    assert number(one, "after_lost") == number(one, "after_requests") > 0
    assert number(one, "counted_requests") == 20
    assert "lost requests per million" in str(one["advice"])
    for name, way in {"nginx": "watches", "squid": "watches", "repeating": "retries"}.items():
        values = found[name]["values"]
        assert (values["way"], values["agrees"]) == (way, True)
        # A request that meets the very moment of the close is lost, which a busy machine makes longer.
        assert number(found[name], "predicted_share") < 0.05
        assert number(found[name], "counted_lost") <= 2
        has_lost = number(found[name], "predicted_share") > 0 or number(found[name], "counted_lost") > 0
        # Of what repeats GETs a POST is lost all the same.
        assert found[name]["verdict"] == ("warning" if has_lost or way == "retries" else "ok")
    for name in ("brief nginx", "tinyproxy"):
        assert found[name]["measured"].startswith("nothing to lose: ")


def test_the_two_timeouts_are_compared(audits: dict[str, AuditRecord]) -> None:
    found = findings(audits, "idle_mismatch")
    verdicts = {name: one["verdict"] for name, one in found.items()}
    assert verdicts == {name: "ok" if name in ("brief nginx", "tinyproxy") else "warning" for name in found}
    assert "set the origin's idle timeout above the proxy's (more than 45" in str(found["nginx"]["advice"])


def test_fields_for_one_hop(audits: dict[str, AuditRecord]) -> None:
    found = findings(audits, "hop_by_hop_fields")
    assert found["tinyproxy"]["verdict"] == found["squid"]["verdict"] == "ok"
    assert found["careless"]["verdict"] == "violation"
    assert "x-loadgen-hop" in found["careless"]["values"]["forwarded"]  # type: ignore[operator] # a list


def test_an_audit_keeps_to_what_it_said(audits: dict[str, AuditRecord]) -> None:
    for one in audits.values():
        assert (one["end"], one["requests"] <= one["max_requests"]) == ("done", True)
        assert one["connections"] <= one["max_connections"]


def number(found: FindingRecord, name: str) -> float:
    value = found["values"][name]
    assert isinstance(value, int | float), found
    return value
