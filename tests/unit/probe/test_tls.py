"""The probes of TLS against servers that differ in one thing each, and their judgement of what these don't show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL

from loadgen.model.audit import FindingRecord, Verdict
from loadgen.model.exceptions import TargetError
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.tls import PROBES, tls_close_notify, tls_resumption, tls_ticket_life, tls_tickets
from loadgen.probe.tls.certificate_reader import is_linked, key_of, names_of, parse_certificate
from loadgen.probe.tls.tls_certificate import Certificate, problem_of
from loadgen.probe.tls.tls_client import not_for
from loadgen.probe.tls.tls_tickets import Offers
from loadgen.wire.tls_facts import TLS_1_0, TLS_1_2, TLS_1_3, Ticket
from tests.support.audits import audit, finding
from tests.support.processes import scripted_server
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.secure_servers import SecureServer, certificate, in_turns, secure_server, server_context, trust

DAY = timedelta(days=1)


def test_a_usual_server(tmp_path: Path) -> None:
    with secure_server(server_context()) as url:
        found = audit(url, "tls", idle_max_ns=400 * NS_PER_MS, **trust(tmp_path))
    findings = found["findings"]
    assert [(name, one["measured"]) for name, one in findings.items() if one["verdict"] != "ok"] == []
    assert found["requests"] <= found["max_requests"] < 60
    assert found["connections"] <= found["max_connections"] < 100
    for probe in PROBES:
        assert set(findings[probe.name]["values"]) <= set(probe.values)
    values = {name: findings[name]["values"] for name in findings}
    assert values["tls_versions"] == {"versions": ["1.2", "1.3"]}
    assert values["tls_negotiated"]["group"] == "x25519"
    assert values["tls_negotiated"]["post_quantum"] is True
    assert values["tls_certificate"]["names"] == ["localhost", "127.0.0.1"]
    assert values["tls_certificate"]["trusted"] is True
    assert values["tls_sni"] == {"without_name": "same"}
    assert values["tls_tickets"] == {
        "tickets": 2, "tls13_ticket": True, "tls12_ticket": True, "tls12_session_id": True,
        "lifetime_ns": 300 * NS_PER_S, "max_early_data_bytes": 0,
    }  # fmt: skip
    assert values["tls_ticket_uses"] == {"offers": 4, "taken": 4, "single_use": False}
    assert values["tls_resumption"]["resumed_share"] == 1
    assert values["tls_ticket_life"]["taken_ns"] >= 100 * NS_PER_MS
    time = values["tls_handshake_time"]
    assert time["resumed"] == time["pairs"]
    for name in ("full", "resumed", "saved"):
        assert time[f"{name}_low_ns"] <= time[f"{name}_ns"] <= time[f"{name}_high_ns"]
    assert time["resumed_low_ns"] > 0
    assert 0 < time["full_low_ns"] < NS_PER_S


def by_name(unnamed: SSL.Context) -> SSL.Context:
    """A server that has another certificate for a client without a name."""
    context = server_context()
    context.set_tlsext_servername_callback(
        lambda stream: None if stream.get_servername() else stream.set_context(unnamed)
    )
    return context


def single_use() -> SSL.Context:
    return server_context(max_early_data_bytes=16384)


OLD = {"versions": (TLS_1_0, TLS_1_2), "ciphers": b"ALL:@SECLEVEL=0"}
SERVERS: dict[str, tuple[Callable[[], SSL.Context], str, str, dict[str, Any]]] = {
    "old versions": (
        lambda: server_context(**OLD), "tls_versions", "warning", {"versions": ["1.0", "1.1", "1.2"]},
    ),
    "no TLS 1.3": (
        lambda: server_context(versions=(TLS_1_2, TLS_1_2)), "tls_versions", "note", {"versions": ["1.2"]},
    ),
    "TLS 1.3 alone": (
        lambda: server_context(versions=(TLS_1_3, TLS_1_3)), "tls_versions", "ok", {"versions": ["1.3"]},
    ),
    "another group": (
        lambda: server_context(groups=b"P-384"), "tls_negotiated", "note",
        {"asked_again": True, "post_quantum": False, "group": "secp384r1"},
    ),
    "no forward secrecy": (
        lambda: server_context(
            leaf=certificate("localhost", rsa=True), versions=(TLS_1_2, TLS_1_2), ciphers=b"AES256-GCM-SHA384"
        ),
        "tls_negotiated", "warning", {"cipher": "AES256-GCM-SHA384"},
    ),
    "another certificate without a name": (
        lambda: by_name(server_context(leaf=certificate("other.example"))), "tls_sni", "note",
        {"without_name": "other", "other_names": ["other.example"]},
    ),
    "another certificate for the same names": (
        lambda: by_name(server_context(leaf=certificate(rsa=True))), "tls_sni", "ok", {"without_name": "same"},
    ),
    "session ids alone": (
        lambda: server_context(versions=(TLS_1_2, TLS_1_2), tickets=False), "tls_tickets", "ok",
        {"tickets": 0, "tls13_ticket": False, "tls12_ticket": False, "tls12_session_id": True},
    ),
    "tickets alone": (
        lambda: server_context(versions=(TLS_1_2, TLS_1_2), cache=False), "tls_tickets", "ok",
        {"tickets": 1, "tls13_ticket": False, "tls12_ticket": True, "tls12_session_id": False},
    ),
    "nothing to resume": (
        lambda: server_context(versions=(TLS_1_2, TLS_1_2), tickets=False, cache=False), "tls_tickets", "note",
        {"tickets": 0, "tls12_ticket": False, "tls12_session_id": False},
    ),
    "tickets that are not taken": (
        lambda: server_context(tickets=False, cache=False), "tls_tickets", "note",
        {"tickets": 2, "tls13_ticket": False},
    ),
    "never resumed": (
        lambda: server_context(tickets=False, cache=False), "tls_resumption", "note", {"resumed": 0},
    ),
    "never resumed, in time": (
        lambda: server_context(tickets=False, cache=False), "tls_handshake_time", "ok", {"resumed": 0},
    ),
    "single use": (single_use, "tls_ticket_uses", "ok", {"taken": 1, "single_use": True}),
    "single use, resumed": (single_use, "tls_resumption", "ok", {"resumed": 24}),
    "early data": (single_use, "tls_early_data", "note", {"max_early_data_bytes": 16384}),
}  # fmt: skip


@pytest.mark.parametrize(("make", "probe", "verdict", "values"), SERVERS.values(), ids=SERVERS)
def test_what_is_found(
    make: Callable[[], SSL.Context], probe: str, verdict: str, values: dict[str, Any], tmp_path: Path
) -> None:
    with secure_server(make()) as url:
        found = finding(url, probe, **trust(tmp_path))
    assert (found["verdict"], found["measured"]) == (verdict, found["measured"])
    assert found["values"].items() >= values.items()
    # Who has something to change learns how.
    assert bool(found["advice"]) == (verdict != "ok")


def test_a_server_that_wants_a_name(tmp_path: Path) -> None:
    context = server_context()

    def choose(stream: SSL.Connection) -> None:
        if not stream.get_servername():
            stream.set_context(SSL.Context(SSL.TLS_SERVER_METHOD))  # without a certificate

    context.set_tlsext_servername_callback(choose)
    with secure_server(context) as url:
        found = finding(url, "tls_sni", **trust(tmp_path))
    assert (found["verdict"], found["values"]) == ("note", {"without_name": "refused"})
    assert "alert handshake failure" in found["measured"]


@pytest.mark.parametrize("backends", [2, 3])
def test_a_farm_without_shared_keys(backends: int, tmp_path: Path) -> None:
    server = SecureServer(in_turns(*(server_context() for _ in range(backends))))
    with secure_server(server) as url:
        findings = audit(url, "tls_ticket_life", **trust(tmp_path))["findings"]
    assert findings["tls_ticket_uses"]["values"]["single_use"] is False
    rate = findings["tls_resumption"]
    assert rate["verdict"] == "warning"
    assert rate["values"]["resumed_share"] == pytest.approx(1 / backends)
    assert rate["values"]["backends"] == backends
    assert findings["tls_ticket_life"]["verdict"] == "unknown"


def test_a_server_that_forgets_its_tickets(tmp_path: Path) -> None:
    # With 1 connection for the first response, 5 for the uses, 25 for the rate, 8 for the tickets; 2 are taken then.
    keeps, new = server_context(), server_context()
    server = SecureServer(lambda number: keeps if number < 41 else new)
    with secure_server(server) as url:
        found = finding(url, "tls_ticket_life", idle_max_ns=400 * NS_PER_MS, **trust(tmp_path))
    assert found["verdict"] == "warning", found
    values = found["values"]
    assert values["lifetime_ns"] == 300 * NS_PER_S
    assert 25 * NS_PER_MS <= number_of(values["taken_ns"]) < number_of(values["refused_ns"])


def number_of(value: object) -> int:
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize(
    ("taken", "lifetime_ns", "expected_ns"),
    [
        ("within the time: until a second before its end", 60 * NS_PER_S, 59 * NS_PER_S),
        ("a short one: half of it", NS_PER_S, NS_PER_S // 2),
        ("too long: a quarter of the time", 7200 * NS_PER_S, 20 * NS_PER_S),
        ("not said: the same", 0, 20 * NS_PER_S),
    ],
)
def test_how_long_tickets_are_watched(taken: str, lifetime_ns: int, expected_ns: int) -> None:
    plan = AuditPlan(target=parse_target("https://h/"), idle_max_ns=80 * NS_PER_S)
    assert tls_ticket_life.wait_for(plan, lifetime_ns) == expected_ns, taken


def test_a_ticket_that_lives_too_long_breaks_a_rule() -> None:
    week = tls_tickets.MAX_LIFETIME_S
    fine, wrong = (
        tls_tickets.judge(Offers(is_1_3=True, tickets=(Ticket(lifetime_s),), tls13_ticket=True))
        for lifetime_s in (week, week + 1)
    )
    assert (fine.verdict, wrong.verdict) == (Verdict.OK, Verdict.VIOLATION)
    assert fine.measured == "TLS 1.3: 1 ticket a connection"
    # TLS 1.2 has no such rule.
    assert tls_tickets.judge(Offers(is_1_3=False, tickets=(Ticket(week + 1),), tls12_ticket=True)).verdict == Verdict.OK


@pytest.mark.parametrize(
    ("alerts", "ended", "verdict"),
    [
        ([0], "fin", "ok"),
        ([0], "", "ok"),
        ([80], "reset", "note"),
        ([], "fin", "violation"),
        ([], "reset", "violation"),
        ([], "", "unknown"),
    ],
)
def test_the_end_of_tls(alerts: list[int], ended: str, verdict: str) -> None:
    assert tls_close_notify.judge(alerts, ended).verdict.value == verdict


def test_a_rate_has_its_interval() -> None:
    found = tls_resumption.judge(12, 24)
    assert found.measured == "12 of 24 (31% to 69%)"
    assert found.values["backends"] == 2


GOOD = Certificate(left=60 * DAY, lifetime=90 * DAY, key=("ECDSA", 256), chain=2, linked=True, distrust="")
PROBLEMS = {
    "expired": GOOD._replace(left=-DAY),
    "not trusted: self-signed": GOOD._replace(distrust="self-signed"),
    "expires soon": GOOD._replace(left=13 * DAY),
    "its key is too short": GOOD._replace(key=("RSA", 1024)),
    "the chain is out of order": GOOD._replace(linked=False),
}


@pytest.mark.parametrize(("problem", "bad"), PROBLEMS.items())
def test_a_certificate_with_a_problem(problem: str, bad: Certificate) -> None:
    assert problem_of(GOOD) is None
    found = problem_of(bad)
    assert found is not None
    assert found.what == problem


def test_a_certificate_of_a_few_days_expires_soon_in_its_last_third() -> None:
    short = GOOD._replace(lifetime=6 * DAY)
    assert problem_of(short._replace(left=3 * DAY)) is None
    assert problem_of(short._replace(left=1 * DAY)) is not None


def certificate_finding(leaf: Any, folder: Path, **plan: Any) -> FindingRecord:
    with secure_server(server_context(leaf=leaf)) as url:
        return finding(url, "tls_certificate", **plan)


def test_what_is_wrong_with_a_real_certificate(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    soon = certificate_finding(certificate(until=now + 5 * DAY), tmp_path, **trust(tmp_path))
    assert (soon["verdict"], soon["values"]["left_days"]) == ("warning", pytest.approx(5, abs=0.1))
    expired = certificate_finding(certificate(until=now - DAY), tmp_path, insecure=True, **trust(tmp_path))
    assert expired["verdict"] == "warning"
    assert "1.0 days too old" in expired["measured"]
    untrusted = certificate_finding(certificate(), tmp_path, insecure=True)
    assert (untrusted["verdict"], untrusted["values"]["trusted"]) == ("warning", False)
    assert "not trusted" in untrusted["measured"]
    wrong_name = certificate_finding(certificate("other.example"), tmp_path, insecure=True, **trust(tmp_path))
    assert "hostname mismatch" in wrong_name["measured"]


def test_certificates_are_read() -> None:
    with pytest.raises(ProbeFailure, match="can't be read"):
        parse_certificate(b"no certificate")
    chain = [parse_certificate(der_of(certificate(rsa=True))), parse_certificate(der_of(certificate("b.example")))]
    assert key_of(chain[0]) == ("RSA", 2048)
    assert names_of(chain[1]) == ["b.example"]
    assert not is_linked(chain)
    assert is_linked(chain[:1])


def der_of(leaf: Any) -> bytes:
    return load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)


def test_a_server_that_wants_a_certificate_of_the_client_s(tmp_path: Path) -> None:
    context = server_context(versions=(TLS_1_2, TLS_1_2))
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    with secure_server(context) as url:
        findings = audit(url, "tls_versions", "tls_certificate", "tls_sni", "tls_resumption", **trust(tmp_path))[
            "findings"
        ]
    assert findings["tls_versions"]["values"] == {"versions": ["1.2"]}
    assert findings["tls_certificate"]["verdict"] == "ok"
    assert findings["tls_sni"]["values"] == {"without_name": "same"}
    assert findings["tls_resumption"]["verdict"] == "unknown"


def test_an_untrusted_certificate_ends_the_audit_with_advice() -> None:
    with secure_server(server_context()) as url, pytest.raises(TargetError, match="--cacert FILE, or skip the check"):
        audit(url, "tls")


def test_through_a_proxy_s_tunnel(tmp_path: Path) -> None:
    with secure_server(server_context()) as url, fake_proxy(None) as (fake, port):
        plan = {"proxy": parse_proxy(proxy_url(port)), **trust(tmp_path)}
        by_proxy = audit(url, "tls_versions", "tls_sni", "tls_tickets", "tls_close_notify", **plan)
    assert {one["verdict"] for one in by_proxy["findings"].values()} == {"ok"}
    assert len(fake.heads) == by_proxy["connections"]


def test_without_tls_there_is_nothing_to_ask() -> None:
    plain, secure = (AuditPlan(target=parse_target(f"{scheme}://h/")) for scheme in ("http", "https"))
    assert not_for(plain) == "the target does not use TLS"
    for probe in PROBES:
        assert probe.not_for(plain) == not_for(plain)
        assert not probe.not_for(secure)


def test_an_address_is_no_server_name(tmp_path: Path) -> None:
    with secure_server(server_context()) as url:
        found = audit(url.replace("localhost", "127.0.0.1"), "tls_sni", "tls_close_notify", **trust(tmp_path))
    assert found["skipped"] == {"tls_sni": "an IP address is sent as no server name"}
    assert found["findings"]["tls_close_notify"]["verdict"] == "ok"


def test_a_server_that_ends_each_handshake_has_a_readable_audit() -> None:
    with scripted_server(lambda connection, _: connection.recv(1) and None) as port:
        found = audit(f"https://127.0.0.1:{port}/", "tls", insecure=True)
    assert {one["verdict"] for one in found["findings"].values()} == {"unknown"}
    assert found["findings"]["tls_versions"]["measured"].startswith("no version was agreed on (tls: the peer ended")
