"""An audit as a whole: what runs, what it costs, how it ends."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.model.audit import AuditRecord, Verdict
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe import (
    addresses,
    chain,
    closing,
    http2,
    idle,
    limits,
    messages,
    options,
    persistence,
    tcp,
    tls,
    versions,
    websocket,
)
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import NoResponse, ProbeFailure
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.registry import GROUPS, PROBES, choose
from loadgen.probe.session import ProbeSession
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from tests.support.audits import audit
from tests.support.processes import Script, read_request, scripted_server
from tests.support.target_thread import target_in_thread

HELLO = b"HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 5\r\n\r\nhello"


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(HELLO)


def test_an_audit_says_what_it_cost() -> None:
    with scripted_server(hello) as port:
        found = audit(f"http://127.0.0.1:{port}/", "persistent_by_default")
    assert found["findings"]["persistent_by_default"]["verdict"] == "ok"
    assert (found["requests"], found["connections"], found["server"], found["end"]) == (4, 2, "test", "done")
    assert found["requests"] <= found["max_requests"]
    assert [trace["probe"] for trace in found["traces"]] == ["first", "persistent_by_default"]


def test_nothing_listens(closed_port: int, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TargetError, match=r"no connection could be opened \(connect: Connection refused"):
        audit(f"http://127.0.0.1:{closed_port}/", "persistent_by_default")
    assert capfd.readouterr().err == ""


def test_names_are_unique_and_each_value_is_explained() -> None:
    names = [probe.name for probe in PROBES]
    assert len({*names, *(group.name for group in GROUPS)}) == len(names) + len(GROUPS)
    plan = AuditPlan(target=parse_target("http://127.0.0.1/"))
    for probe in PROBES:
        assert probe.question.endswith("?")
        assert probe.method.endswith(".")
        assert set(probe.needs) <= set(names)
        assert probe.not_for(plan) or Audit(plan, [probe]).max_requests >= probe.max_requests(plan)


def test_the_table_is_in_the_order_of_its_groups() -> None:
    groups = (
        *(versions, persistence, closing, idle, limits, messages, options, tls, http2, websocket, tcp, addresses),
        chain,
    )
    assert tuple(probe for group in groups for probe in group.PROBES) == PROBES


def test_a_group_stands_for_its_probes_and_a_wrong_word_is_named() -> None:
    assert choose(["persistence"], ())[0].name == "persistent_by_default"
    with pytest.raises(PlanError, match=r"--only 'idle_timeou' is no check .* did you mean idle_timeout"):
        choose(["idle_timeou"], ())
    with pytest.raises(PlanError, match="leave no check"):
        choose(["persistence"], ["persistence"])


def test_a_probe_with_a_fault_does_not_cost_what_the_others_found_out() -> None:
    def has_a_fault(_session: ProbeSession) -> Finding:
        raise KeyError("port")

    found = run(hello, made("first", fine), made("faulty", has_a_fault), made("waits", has_a_fault, waits=True))
    assert verdicts(found) == {"first": "ok", "faulty": "unknown", "waits": "unknown"}
    assert found["findings"]["faulty"]["measured"] == "this check has a fault, please report it: KeyError: 'port'"


def test_a_probe_is_held_to_what_it_said_it_would_cost() -> None:
    def asks_twice(session: ProbeSession) -> Finding:
        with session.open() as stream:
            session.ask(stream)
            session.ask(stream)
        return unknown("it was not held")

    def opens_twice(session: ProbeSession) -> Finding:
        with session.open(), session.open():
            return unknown("it was not held")

    found = run(hello, made("asks", asks_twice), made("opens", opens_twice))
    assert {one["measured"] for one in found["findings"].values()} == {
        "it would need more than 1 requests",
        "it would need more than 1 connections",
    }
    assert (found["requests"], found["connections"]) == (2, 3)
    assert (found["max_requests"], found["max_connections"]) == (8, 8)


def test_a_probe_reads_what_another_found_out_even_one_that_waits() -> None:
    def reads(session: ProbeSession) -> Finding:
        before, missing = session.finding("slow"), session.finding("failed")
        assert missing is None
        return Finding(verdict=Verdict.OK, measured="nothing" if before is None else before.measured)

    def slow(session: ProbeSession) -> Finding:
        with session.open() as stream:
            stream.receive(session.until_ns(NS_PER_S // 20))
        return Finding(verdict=Verdict.OK, measured="slowly")

    def failed(_session: ProbeSession) -> Finding:
        raise ProbeFailure("no luck")

    probes = made("failed", failed), made("reads", reads, needs=("slow", "failed")), made("slow", slow, waits=True)
    found = run(hello, *probes)
    assert found["findings"]["reads"]["measured"] == "slowly"
    assert found["findings"]["failed"]["measured"] == "no luck"


def test_no_probe_waits_for_one_that_runs_after_it() -> None:
    by_name = {probe.name: (number, probe) for number, probe in enumerate(PROBES)}
    for number, probe in by_name.values():
        for name in probe.needs:
            before, needed = by_name[name]
            assert needed.waits or before < number, f"{probe.name} would wait for {name} for ever"


def test_the_audit_ends_in_time_with_what_is_known() -> None:
    found = run(hello, made("quick", fine), made("endless", forgets_the_time), max_time_ns=NS_PER_S // 10)
    assert found["end"] == "out_of_time"
    assert verdicts(found) == {"quick": "ok", "endless": "unknown"}
    assert "--max-time" in found["findings"]["endless"]["measured"]
    assert found["duration_ns"] < 5 * NS_PER_S


def test_no_probe_begins_once_the_time_is_over() -> None:
    def takes_it_all(session: ProbeSession) -> Finding:
        gevent.sleep(0.15)
        return fine(session)

    found = run(hello, made("long", takes_it_all), made("late", fine), max_time_ns=NS_PER_S // 10)
    assert found["end"] == "out_of_time"
    assert verdicts(found) == {"long": "ok", "late": "unknown"}


def test_a_server_that_goes_away_meanwhile_is_not_accused() -> None:
    def stops(session: ProbeSession) -> Finding:
        listening.close()
        return Finding(verdict=Verdict.WARNING, measured="closed without saying so", advice="announce it")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            with listening.accept()[0] as connection:
                hello(connection, 0)

        server = threading.Thread(target=serve)
        server.start()
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/"))
        found = Audit(plan, [made("closes", stops)]).run()
        server.join()
    assert verdicts(found) == {"closes": "unknown"}
    assert found["findings"]["closes"]["measured"] == "closed without saying so; then the server was gone"


def test_what_was_cut_short_accuses_nobody() -> None:
    def accuses(_session: ProbeSession) -> Finding:
        gevent.sleep(0.15)
        return Finding(verdict=Verdict.VIOLATION, measured="never acknowledged")

    found = run(hello, made("cut", accuses), max_time_ns=NS_PER_S // 10)
    assert (found["end"], verdicts(found)) == ("out_of_time", {"cut": "unknown"})


def test_an_interrupt_ends_it_with_what_is_known() -> None:
    audits: list[Audit] = []

    def interrupts(session: ProbeSession) -> Finding:
        audits[0].interrupt()
        return forgets_the_time(session)

    with scripted_server(hello) as port:
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/"))
        audits.append(Audit(plan, [made("quick", fine), made("endless", interrupts), made("never", fine)]))
        found = audits[0].run()
    assert found["end"] == "interrupted"
    assert verdicts(found) == {"quick": "ok", "endless": "unknown", "never": "unknown"}
    assert found["findings"]["never"]["measured"] == "interrupted before it was known"


def closes_at_once(_connection: socket.socket, _number: int) -> None:
    pass


def speaks_something_else(connection: socket.socket, _number: int) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")
    connection.recv(99)


def is_silent(connection: socket.socket, _number: int) -> None:
    while connection.recv(9999):
        pass


def drips(connection: socket.socket, _number: int) -> None:
    read_request(connection)
    for byte in HELLO:
        connection.sendall(bytes([byte]))
        if select.select([connection], [], [], 0.05)[0]:
            return


def sends_100_mb(connection: socket.socket, _number: int) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + bytes(65536))
    connection.recv(9)


def never_stops(connection: socket.socket, _number: int) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (closes_at_once, "the server (closed|reset) the connection instead of answering"),
        (speaks_something_else, "the answer is not HTTP"),
        (is_silent, "no answer within the time allowed"),
        (drips, r"no answer within the time allowed after \d+ bytes"),
        (sends_100_mb, "the response is longer than the 8 MiB that are read; name a smaller one"),
        (never_stops, "the response is longer than the 8 MiB that are read; name a smaller one"),
    ],
)
def test_a_server_without_an_answer_gets_a_readable_audit(script: Script, why: str) -> None:
    probes = made("usual", fine), made("hardened", fine, needs_response=False), made("another", fine)
    timeout_ns = NS_PER_S // 5 if "time allowed" in why else 5 * NS_PER_S
    found = run(script, *probes, timeout_ns=timeout_ns)
    assert verdicts(found) == {"usual": "unknown", "hardened": "ok", "another": "unknown"}
    assert found["findings"]["another"]["measured"] == "no response to a plain request"
    assert re.match(f"no response to a plain request: {why}", found["findings"]["usual"]["measured"])
    assert (found["end"], found["server"]) == ("done", None)


def test_a_first_response_that_is_lost_by_chance_does_not_end_the_audit() -> None:
    def loses_the_first(connection: socket.socket, number: int) -> None:
        if number:
            hello(connection, number)

    found = run(loses_the_first, made("usual", fine))
    assert verdicts(found) == {"usual": "ok"}
    assert found["requests"] == 2


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (closes_at_once, "tls: the peer ended the connection"),
        (speaks_something_else, "tls: wrong version number"),
        (is_silent, "tls: no answer within the time allowed"),
    ],
)
def test_a_server_that_speaks_no_tls_gets_a_readable_audit(script: Script, why: str) -> None:
    probes = made("usual", fine), made("hardened", fine, needs_response=False)
    found = run(script, *probes, scheme="https", timeout_ns=NS_PER_S // 5)
    assert verdicts(found) == {"usual": "unknown", "hardened": "ok"}
    assert why in found["findings"]["usual"]["measured"]


def test_a_certificate_that_is_not_trusted_is_the_user_s_to_repair(tmp_path: Path) -> None:
    context = server_context(("localhost", "127.0.0.1"), tmp_path / "ca.pem")
    with target_in_thread(Behaviour(), context) as server, pytest.raises(TargetError, match="certificate"):
        audit(f"https://127.0.0.1:{server.port}/", "persistent_by_default")


# Probes that these tests make up.


def made(name: str, run: Callable[[ProbeSession], Finding], **more: Any) -> Probe:
    """A probe that may send one request on one connection."""
    fields: dict[str, Any] = {"title": name, "question": "What?", "method": "It tries.", "section": ""}
    return Probe(name=name, requests=1, connections=1, run=run, **fields, **more)


def fine(_session: ProbeSession) -> Finding:
    return Finding(verdict=Verdict.OK, measured="fine")


def forgets_the_time(session: ProbeSession) -> Finding:
    """It waits for longer than the audit may take."""
    with session.open() as stream:
        stream.receive(session.now_ns() + 60 * NS_PER_S)
    return fine(session)


def run(script: Script, *probes: Probe, scheme: str = "http", **plan: Any) -> AuditRecord:
    """An audit with these probes alone."""
    with scripted_server(script) as port:
        return Audit(AuditPlan(target=parse_target(f"{scheme}://127.0.0.1:{port}/"), **plan), probes).run()


def verdicts(found: AuditRecord) -> dict[str, str]:
    return {name: one["verdict"] for name, one in found["findings"].items()}


@pytest.mark.parametrize(("answered", "verdict"), [(1, "unknown"), (3, "warning")])
def test_silence_accuses_a_server_only_while_it_answers_others(answered: int, verdict: str) -> None:
    """Its second connection has no answer; the next one has, or not: other probes may have the server's places."""

    def script(connection: socket.socket, number: int) -> None:
        (hello if number != 1 and number < answered else is_silent)(connection, number)

    def accuses(session: ProbeSession) -> Finding:
        with session.open() as stream, suppress(NoResponse):
            session.ask(stream)
        return Finding(verdict=Verdict.WARNING, measured="silent")

    found = run(script, made("accuses", accuses), timeout_ns=NS_PER_S // 2)
    assert verdicts(found) == {"accuses": verdict}
    assert found["requests"] == 3
