"""Audits for the tests, inside the test's own process. A server has to run in a thread or a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gevent

from loadgen.model.audit import AuditRecord, FindingRecord
from loadgen.model.server_settings import TOPICS
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.registry import PROBES, choose
from tests.support.summary_schema import check_audit


def audit(url: str, *only: str, **plan: Any) -> AuditRecord:
    """Audit a server with the probes or groups that `only` names. plan: further fields of AuditPlan."""
    fields = {"idle_max_ns": 4 * NS_PER_S, "max_time_ns": 30 * NS_PER_S} | plan
    record = Audit(AuditPlan(target=parse_target(url), **fields), choose(only, ())).run()
    check_record(record)
    return record


def check_record(record: AuditRecord) -> None:
    """Fail unless the record fits its schema, and each value of a finding is explained by its probe."""
    check_audit(record)
    explained = {probe.name: probe.values.keys() for probe in PROBES}
    for name, one in record["findings"].items():
        assert one["topic"] is None or one["topic"] in TOPICS, name
        assert one["values"].keys() <= explained.get(name, one["values"].keys()), name
    assert record["requests"] <= record["max_requests"]
    assert record["connections"] <= record["max_connections"]


def finding(url: str, name: str, **plan: Any) -> FindingRecord:
    """What one probe finds out."""
    return audit(url, name, **plan)["findings"][name]


def findings_of(servers: Mapping[str, str], name: str, **plan: Any) -> dict[str, FindingRecord]:
    """What one probe finds out about several servers, given by URL, all at the same time."""
    at_work = {one: gevent.spawn(finding, url, name, **plan) for one, url in servers.items()}
    return {one: greenlet.get() for one, greenlet in at_work.items()}


def opened_within_ns(record: AuditRecord, probe: str) -> int:
    """The time from the first connection of a probe to its last one."""
    opening_ns = [trace["opening_ns"] for trace in record["traces"] if trace["probe"] == probe]
    return max(opening_ns) - min(opening_ns)
