"""The probes of messages that a connection must survive, on servers that get them right."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from loadgen.model.audit import AuditRecord, FindingRecord, FindingValue
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.probe import messages
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.messages.content import content
from loadgen.probe.messages.follow_up import FollowUp
from loadgen.probe.messages.half_close import HALF_CLOSE
from loadgen.target.behaviour import Behaviour
from tests.support.audits import audit, finding
from tests.support.message_server import CLOSE, Answer, Peer, response, right_answer, serves
from tests.support.processes import scripted_server
from tests.support.target_thread import target_in_thread
from tests.support.violations.messages import never_continues

IN_STEP = FollowUp.IN_STEP.value
SHORT_NS = 300 * NS_PER_MS


def found_by(probe: str, answer: Answer) -> FindingRecord:
    with scripted_server(serves(answer)) as port:
        return finding(f"http://127.0.0.1:{port}/", probe, timeout_ns=SHORT_NS)


@pytest.fixture(scope="module")
def right() -> AuditRecord:
    """All of them, on a server that keeps all the rules."""
    with scripted_server(serves()) as port:
        return audit(f"http://127.0.0.1:{port}/", "messages", timeout_ns=SHORT_NS)


@pytest.mark.parametrize(
    ("probe", "values"),
    [
        ("response_end", {"responses": 2, "extra_bytes": 0}),
        ("head_keeps_step", {"status": 200, "step": IN_STEP}),
        ("no_content", {"step_304": IN_STEP, "step_204": IN_STEP}),
        ("pipelining", {"answered": 4, "requests": 4, "in_order": True}),
        ("expect_continue", {"early_status": 100, "status": 204, "step": IN_STEP}),
        ("unread_body", {"options_status": 204, "options_step": IN_STEP, "get_status": 200, "get_step": IN_STEP}),
        ("oversized_body", {"status": 0}),
        ("bytes_behind", {"empty_line": "skipped", "garbage": "closed", "garbage_status": 400}),
        ("half_close", {"answered": True}),
    ],
)
def test_a_server_that_keeps_the_rules(right: AuditRecord, probe: str, values: Mapping[str, FindingValue]) -> None:
    found = right["findings"][probe]
    assert found["verdict"] == "ok", found
    assert found["values"].items() >= values.items()


def test_each_value_is_explained(right: AuditRecord) -> None:
    for probe in messages.PROBES:
        found = right["findings"][probe.name]
        assert set(found["values"]) <= set(probe.values)
        assert len(found["measured"]) <= 70


@pytest.mark.parametrize("size_bytes", [2, 17, 1_024, 16_384])
def test_content_has_its_size_and_no_line_of_a_request(size_bytes: int) -> None:
    data = content(size_bytes)
    assert len(data) == size_bytes
    assert data.endswith(b"\r\n")
    assert b"HTTP/" not in data


def test_the_embedded_target_gets_them_right() -> None:
    with target_in_thread(Behaviour()) as target:
        record = audit(f"http://127.0.0.1:{target.port}/", "messages")
    verdicts = {name: found["verdict"] for name, found in record["findings"].items()}
    # It has no validators, and answers OPTIONS like GET.
    assert verdicts.pop("no_content") == "unknown"
    assert set(verdicts.values()) == {"ok"}, record["findings"]
    assert record["requests"] <= record["max_requests"]


def refuses_content(peer: Peer, head: bytes) -> bytes:
    """Says 405 and close, whatever follows."""
    return response("405 Method Not Allowed", CLOSE) if b"Content-Length" in head else right_answer(peer, head)


def refuses_expectations(peer: Peer, head: bytes) -> bytes:
    return response("417 Expectation Failed", CLOSE) if b"Expect" in head else right_answer(peer, head)


def closes_each(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head).replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n", 1)


def closes_each_silently(peer: Peer, head: bytes) -> bytes:
    peer.connection.sendall(right_answer(peer, head))
    return b""


def ends_with_an_empty_line(peer: Peer, head: bytes) -> bytes:
    return right_answer(peer, head) + b"\r\n"


def says_goodbye(peer: Peer, head: bytes) -> bytes:
    """Ends the connection with an error that nobody asked for, as servers do whose idle timeout is over."""
    return right_answer(peer, head) + response("408 Request Timeout", CLOSE)


def answers_no_head(peer: Peer, head: bytes) -> bytes:
    return b"" if head.startswith(b"HEAD") else right_answer(peer, head)


@pytest.mark.parametrize(
    ("probe", "answer", "verdict", "values"),
    [
        ("expect_continue", refuses_content, "ok", {"early_status": 405, "step": "closed, as announced"}),
        ("expect_continue", refuses_expectations, "note", {"early_status": 417}),
        ("response_end", ends_with_an_empty_line, "ok", {"extra_bytes": 0}),
        ("response_end", says_goodbye, "ok", {"extra_bytes": 0}),
        ("head_keeps_step", closes_each, "note", {"step": "closed, as announced"}),
        ("head_keeps_step", answers_no_head, "warning", {}),
        ("pipelining", closes_each, "note", {"answered": 1}),
        ("head_keeps_step", closes_each_silently, "note", {}),
        ("pipelining", closes_each_silently, "note", {"answered": 1}),
        ("unread_body", closes_each_silently, "note", {}),
        ("pipelining", answers_no_head, "ok", {"answered": 4}),
    ],
)
def test_what_a_server_may_do(probe: str, answer: Answer, verdict: str, values: Mapping[str, FindingValue]) -> None:
    found = found_by(probe, answer)
    assert found["verdict"] == verdict, found
    assert found["values"].items() >= values.items()
    assert "in_order" not in found["values"]


def test_a_client_that_half_closes_may_get_nothing() -> None:
    def gives_up(peer: Peer, head: bytes) -> bytes:
        # A client's FIN is there at once, or never comes; the first request has none.
        return right_answer(peer, head) if CLOSE.strip() in head else b""

    found = found_by("half_close", gives_up)
    assert (found["verdict"], found["values"]) == ("note", {"answered": False})


def test_a_half_close_means_nothing_over_tls() -> None:
    assert "RFC 8446" in HALF_CLOSE.not_for(AuditPlan(target=parse_target("https://127.0.0.1/")))
    assert not HALF_CLOSE.not_for(AuditPlan(target=parse_target("http://127.0.0.1/")))


def test_a_length_that_is_never_read_is_no_fault_of_head() -> None:
    def announces_much(peer: Peer, head: bytes) -> bytes:
        if CLOSE.strip() in head:
            return right_answer(peer, head)
        long = response("200 OK", b"", b"x" * 9_000_000)
        return long.partition(b"xxx")[0] if head.startswith(b"HEAD") else long

    found = found_by("head_keeps_step", announces_much)
    assert (found["verdict"], "longer than the 8 MiB" in found["measured"]) == ("unknown", True)


def test_a_proxy_may_keep_a_client_waiting_for_its_100() -> None:
    with scripted_server(serves(never_continues)) as port:
        way = {"proxy": parse_proxy(f"http://127.0.0.1:{port}"), "timeout_ns": 300 * NS_PER_MS}
        found = finding("http://localhost/", "expect_continue", **way)
    assert (found["verdict"], found["values"]["early_status"]) == ("warning", 0)
