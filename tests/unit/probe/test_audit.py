"""An audit as a whole: what runs, what it costs, how it ends."""

from __future__ import annotations

import socket

import pytest

from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.target import parse_target
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
from loadgen.probe.registry import GROUPS, PROBES, choose
from tests.support.audits import audit
from tests.support.processes import free_port, read_request, scripted_server

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


def test_nothing_listens() -> None:
    with pytest.raises(TargetError, match=r"no connection could be opened \(connect: Connection refused"):
        audit(f"http://127.0.0.1:{free_port()}/", "persistent_by_default")


def test_names_are_unique_and_each_value_is_explained() -> None:
    names = [probe.name for probe in PROBES]
    assert len({*names, *(group.name for group in GROUPS)}) == len(names) + len(GROUPS)
    plan = AuditPlan(target=parse_target("http://127.0.0.1/"))
    for probe in PROBES:
        assert probe.question.endswith("?")
        assert probe.method.endswith(".")
        assert set(probe.needs) <= set(names)
        assert Audit(plan, [probe]).max_requests >= probe.max_requests(plan)


def test_the_table_is_in_the_order_of_its_groups() -> None:
    groups = (
        *(versions, persistence, closing, idle, limits, messages, options, tls, http2, websocket, tcp, addresses),
        chain,
    )
    assert tuple(probe for group in groups for probe in group.PROBES) == PROBES


def test_a_group_stands_for_its_probes_and_a_wrong_word_is_named() -> None:
    assert choose(["persistence"], ())[0].name == "persistent_by_default"
    with pytest.raises(PlanError, match=r"--only 'idle_timeou' is no probe .* did you mean idle_timeout"):
        choose(["idle_timeou"], ())
    with pytest.raises(PlanError, match="leave no probe"):
        choose(["persistence"], ["persistence"])
