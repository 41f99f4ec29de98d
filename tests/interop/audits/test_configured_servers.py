"""Settings of real servers come out of an audit as they were configured, alone and with a proxy before the server.

All servers run side by side, and so do their audits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest

from loadgen.model.audit import AuditRecord, FindingRecord
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from tests.support.audits import audit
from tests.support.configured_servers import SERVERS, Configured, chained
from tests.support.proxies import proxy_url, tinyproxy

pytestmark = [pytest.mark.peer, pytest.mark.alone]  # they measure time

TIMES = ("idle_timeout", "max_requests", "max_lifetime", "header_timeout", "first_request_timeout")
QUICK = ("persistence", "closing")
IN_A_CHAIN = ("persistence", "closing", "idle", "messages", "options", "chain")
BEHIND_TINYPROXY = {"nginx": IN_A_CHAIN, "node": IN_A_CHAIN}
"""What is asked behind tinyproxy of some servers; of the others it is QUICK, so that two processors do for all."""
KNOWN_VIOLATIONS = {
    "gunicorn": {"close_options"},  # it reads Connection as one word, not as a list (RFC 9110 §7.6.1)
    # It closes after each response without saying so (RFC 9112 §9.3), and no 100 comes through (RFC 9110 §10.1.1).
    "tinyproxy": {"persistent_by_default", "expect_continue"},
}


@dataclass
class Audited:
    """What was found out of each server. whole: of the first one of each kind, everything."""

    told: dict[str, Configured] = field(default_factory=dict)
    alone: dict[str, AuditRecord] = field(default_factory=dict)
    whole: dict[str, AuditRecord] = field(default_factory=dict)
    behind_nginx: dict[str, AuditRecord] = field(default_factory=dict)
    behind_tinyproxy: dict[str, AuditRecord] = field(default_factory=dict)
    firsts: dict[str, Configured] = field(default_factory=dict)


def side_by_side(*jobs: tuple[dict[str, AuditRecord], str, str, tuple[str, ...], dict[str, Any]]) -> None:
    """Run audits at the same time. A job: where its record goes, its key there, URL, probes, plan."""
    at_work = [(into, key, gevent.spawn(audit, url, *only, **plan)) for into, key, url, only, plan in jobs]
    for into, key, greenlet in at_work:
        into[key] = greenlet.get()


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder, found = tmp_path_factory.mktemp("servers"), Audited()
    with ExitStack() as stack:
        for kind, start in SERVERS.items():
            servers = stack.enter_context(start(folder / kind))
            found.told |= {one.name: one for one in servers}
            found.firsts[kind] = servers[0]
        proxies = stack.enter_context(chained(folder / "chained", list(found.firsts.values())))
        port = stack.enter_context(tinyproxy())
        proxy = parse_proxy(proxy_url(port))
        side_by_side(*((found.alone, one.name, one.url, TIMES, {}) for one in found.told.values()))
        short = {"idle_max_ns": 3 * NS_PER_S, "max_time_ns": 12 * NS_PER_S}
        side_by_side(
            *((found.whole, kind, one.url, (), short) for kind, one in found.firsts.items()),
            *(
                (found.behind_nginx, kind, before.url, IN_A_CHAIN, {"origin": parse_target(one.url)} | short)
                for (kind, one), before in zip(found.firsts.items(), proxies, strict=True)
            ),
            *(
                (found.behind_tinyproxy, kind, one.url, BEHIND_TINYPROXY.get(kind, QUICK), {"proxy": proxy} | short)
                for kind, one in found.firsts.items()
            ),
        )
        yield found


SLACK_NS = NS_PER_S // 10


def near(found_ns: object, told_s: float) -> bool:
    """Within 2 % or 100 ms, and what a machine with this many servers at work adds."""
    assert isinstance(found_ns, int)
    return abs(found_ns - told_s * NS_PER_S) <= max(0.02 * told_s, 0.1) * NS_PER_S


def times_of(finding: FindingRecord) -> object:
    return finding["values"].get("timeout_ns")


def test_idle_timeouts(audited: Audited) -> None:
    told = {name: one.idle_s for name, one in audited.told.items() if one.idle_s is not None}
    found = {name: times_of(audited.alone[name]["findings"]["idle_timeout"]) for name in told}
    assert len(told) >= 17
    assert {name: found[name] for name in told if not near(found[name], told[name])} == {}


def test_requests_per_connection(audited: Audited) -> None:
    told = {name: one.requests for name, one in audited.told.items() if one.requests is not None}
    found = {name: audited.alone[name]["findings"]["max_requests"]["values"] for name in told}
    assert {name: values["closed_after"] for name, values in found.items()} == told
    assert len(told) == 4
    assert all(values["announced"] for values in found.values())


def test_lifetimes(audited: Audited) -> None:
    told = {name: one.lifetime_s for name, one in audited.told.items() if one.lifetime_s is not None}
    assert len(told) == 2
    for name, told_s in told.items():
        values = audited.alone[name]["findings"]["max_lifetime"]["values"]
        low_ns, high_ns = values.get("min_lifetime_ns"), values.get("max_lifetime_ns")
        assert isinstance(low_ns, int), (name, values)
        assert isinstance(high_ns, int), (name, values)
        # The bounds are a pause apart, and nginx begins to count when it accepts the connection.
        assert low_ns - SLACK_NS <= told_s * NS_PER_S <= high_ns + SLACK_NS, (name, values)
        assert high_ns - low_ns <= 6 * SLACK_NS, (name, values)


def test_times_of_a_head_and_of_a_first_request(audited: Audited) -> None:
    told = {name: one.header_s for name, one in audited.told.items() if one.header_s is not None}
    assert len(told) == 4
    for probe in ("header_timeout", "first_request_timeout"):
        found = {name: times_of(audited.alone[name]["findings"][probe]) for name in told}
        assert {name: found[name] for name in told if not near(found[name], told[name])} == {}, probe


def test_no_server_is_accused_of_what_it_does_not_do(audited: Audited) -> None:
    for where, before in (
        (audited.whole, ""),
        (audited.behind_nginx, "nginx"),
        (audited.behind_tinyproxy, "tinyproxy"),
    ):
        for kind, record in where.items():
            known = KNOWN_VIOLATIONS.get(kind, set()) | KNOWN_VIOLATIONS.get(before, set())
            broken = {
                name: one["measured"] for name, one in record["findings"].items() if one["verdict"] == "violation"
            }
            assert broken.keys() <= known, (kind, before, broken)


def test_a_chain_has_both_timeouts(audited: Audited) -> None:
    for kind, record in audited.behind_nginx.items():
        findings, told_s = record["findings"], audited.firsts[kind].idle_s
        assert told_s is not None
        assert near(times_of(findings["idle_timeout"]), 2.5), (kind, findings["idle_timeout"])
        assert near(times_of(findings["origin_idle_timeout"]), told_s), (kind, findings["origin_idle_timeout"])
        assert findings["idle_mismatch"]["verdict"] in ("warning", "note"), (kind, findings["idle_mismatch"])


def test_most_of_an_audit_is_known(audited: Audited) -> None:
    for where in (audited.whole, audited.behind_nginx):
        for kind, record in where.items():
            verdicts = [one["verdict"] for one in record["findings"].values()]
            assert verdicts.count("unknown") <= len(verdicts) // 4, (kind, record["findings"])
            assert record["end"] == "done"
