"""Plans: what may be run, what is refused and why, and that a plan survives its JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadgen.model.cell import Axes
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_header, parse_header
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import (
    UNLIMITED,
    parse_policies,
)
from loadgen.model.request_method import METHODS
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S

HTTP, HTTPS = parse_target("http://h/"), parse_target("https://h/")


def plan(**changes: Any) -> Plan:
    return Plan(**{"target": HTTP, "policies": parse_policies("persistent,close"), **changes})


# Cells


def test_without_axes_a_cell_is_a_policy() -> None:
    one = plan(load=Load(users=3, rate_rps=10))
    assert [(cell.name, cell.users, cell.rate_rps) for cell in one.cells] == [("persistent", 3, 10), ("close", 3, 10)]


def test_a_grid_is_the_product_of_its_axes() -> None:
    target = parse_target("http://h/x?n={size}")
    cells = plan(target=target, axes=Axes(users=(1, 10), size=(5, 1_000))).cells
    assert len({cell.name for cell in cells}) == len(cells) == 8
    assert [(cell.name, cell.path) for cell in cells[:2]] == [
        ("persistent · 1 user · 5 B", "/x?n=5"),
        ("persistent · 1 user · 1,000 B", "/x?n=1000"),
    ]
    cells = plan(policies=(), axes=Axes(recycle=("1", "inf"), rate=(100.0, 200.0))).cells
    assert [cell.policy.requests for cell in cells] == [1, UNLIMITED, 1, UNLIMITED]
    assert [cell.rate_rps for cell in cells] == [100, 100, 200, 200]
    cells = plan(policies=parse_policies("abandon"), axes=Axes(recycle=("2",), gap=("1ms",))).cells
    assert [cell.name for cell in cells] == ["abandon+recycle:2+gap:1ms"]
    twice = plan(target=HTTPS, policies=parse_policies("resume,resume"), axes=Axes(recycle=("2", "inf")))
    assert [cell.name for cell in twice.cells] == [
        "resume+recycle:2", "resume+recycle:inf", "resume+recycle:2#2", "resume+recycle:inf#2",
    ]  # fmt: skip
    assert Plan.from_json(twice.to_json(secrets=False)) == twice


def test_the_name_of_a_cell_tells_its_value_of_each_axis() -> None:
    target = parse_target("https://h/?n={size}")
    both = {
        "users": (1, 2), "rate": (1.0, 2.0), "recycle": ("1", "2"), "gap": ("1ms", "2ms"), "size": (5, 6),
        "tls_version": ("1.2", "1.3"), "groups": ("X25519", "P-256"),
    }  # fmt: skip
    assert both.keys() == Axes.__dataclass_fields__.keys()
    for axis, values in both.items():
        axes: dict[str, Any] = {"size": (5,), "recycle": ("3",), axis: values}
        cells = plan(target=target, policies=parse_policies("resume"), axes=Axes(**axes)).cells
        assert len({cell.name for cell in cells}) == len(cells) == 2, axis


@pytest.mark.parametrize("axes", [{"rate": (0.0,)}, {"rate": (5.0, -1.0)}, {"rate": (2e6,)}, {"size": (-1,)}])
def test_an_axis_with_a_bad_value_is_refused(axes: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=r"--(rate|size)"):
        Axes(**axes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"axes": Axes(size=(5,))}, r"must hold \{size\}"),
        ({"axes": Axes(users=tuple(range(1, 400)))}, "798 cells"),
        ({"axes": Axes(users=(2, 2))}, "twice"),
        ({"axes": Axes(users=(0,))}, "at least 1"),
        ({"axes": Axes(recycle=("2",))}, "exclude each other"),
        ({"load": Load(rate_rps=5, think_ns=1)}, "--think is for users"),
        ({"load": Load(rate_rps=5), "policies": parse_policies("gap:1s")}, "needs users"),
        ({"load": Load(rate_rps=5), "policies": parse_policies("pipeline:2")}, "needs users"),
        ({"policies": parse_policies("pipeline:2"), "method": "POST"}, "can't be pipelined"),
        ({"policies": parse_policies("pipeline:2"), "retry_stale": True}, "excludes --retry-stale"),
        ({"policies": parse_policies("persistent,websocket"), "retry_stale": True}, "not an idempotent request"),
        ({"policies": parse_policies("resolve"), "target": parse_target("http://127.0.0.1/")}, "an address already"),
        ({"retry_stale": True, "method": "POST"}, "not idempotent"),
        ({"source_ips": ("10.0.0",)}, "not an IP address"),
    ],
)
def test_a_grid_or_load_that_makes_no_sense_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        plan(**changes)


# Load


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"users": 1, "rounds": 1},
        {"block_ns": 10 * NS_PER_MS, "warmup_ns": 0},
        {"block_ns": NS_PER_S, "warmup_ns": NS_PER_S - 1},
        {"timeout_ns": NS_PER_MS},
    ],
)
def test_a_load_at_its_limits_is_accepted(changes: dict[str, int]) -> None:
    load = Load(**changes)
    assert {name: getattr(load, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"users": 0}, "--users is 0"),
        ({"users": -1}, "--users is -1"),
        ({"rounds": 0}, "--rounds is 0"),
        ({"block_ns": 10 * NS_PER_MS - 1}, "--block is"),
        ({"block_ns": NS_PER_S, "warmup_ns": NS_PER_S}, "--warmup is 1.00 s"),
        ({"warmup_ns": -1}, "--warmup is"),
        ({"timeout_ns": NS_PER_MS - 1}, "--timeout is"),
    ],
)
def test_a_load_beyond_its_limits_names_the_option(changes: dict[str, int], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        Load(**changes)


# Plan


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"method": "GET /"}, "the method 'GET /' is not a token"),
        ({"method": "CONNECT"}, "asks a proxy for a tunnel"),
        ({"headers": (("Connection", "close"),)}, "the connection policy sets it"),
        ({"policies": parse_policies("close-resume")}, "a target in clear has none"),
        ({"cacert": "ca.pem", "insecure": True}, "contradict"),
    ],
)
def test_a_plan_that_can_not_run_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        plan(**changes)


def test_tls_policies_run_against_a_tls_target() -> None:
    assert plan(target=HTTPS, policies=parse_policies("close-resume")).target is HTTPS


@pytest.mark.parametrize("method", [*METHODS, "PURGE", "PROPFIND", "QUERY", "M-SEARCH"])
def test_every_method_is_accepted(method: str) -> None:
    assert plan(method=method).method == method


@pytest.mark.parametrize(
    "original",
    [
        plan(),
        plan(
            target=parse_target("https://[::1]:8443/a?b"),
            policies=parse_policies("close-resume,persistent"),
            load=Load(users=3, rounds=2, block_ns=NS_PER_S, warmup_ns=1, think_ns=5, timeout_ns=NS_PER_S),
            method="POST",
            headers=(("X", "a"), ("X", "b"), ("Authorization", "Basic c2VjcmV0"), ("Y", "é")),
            body=bytes(range(256)),
            cacert="/ca.pem",
            max_body_bytes=17,
            seed=42,
        ),
        plan(target=HTTPS, insecure=True),
        plan(policies=(), axes=Axes(recycle=("1", "inf"), users=(1, 2)), load=Load(arrivals="poisson")),
        plan(retry_stale=True, cookies=False, source_ips=("127.0.0.2", "::1"), server_pid=1, load=Load(rate_rps=2.5)),
    ],
)
def test_a_plan_survives_its_json(original: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(original.to_json(secrets=True)))) == original


@pytest.mark.parametrize("name", ["Authorization", "PROXY-authorization", "cookie"])
def test_credentials_stay_out_of_a_plan_that_is_shown(name: str) -> None:
    shown = plan(headers=((name, "hunter2"), ("X", "seen"))).to_json(secrets=False)
    assert shown["headers"] == [[name, "***"], ["X", "seen"]]
    assert "hunter2" not in json.dumps(shown)


def test_json_that_is_no_plan_is_refused() -> None:
    with pytest.raises(KeyError):
        Plan.from_json({"url": "http://h/"})
    with pytest.raises(PlanError):
        Plan.from_json(plan().to_json(secrets=True) | {"users": 0})


# Header fields


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("A: b", ("A", "b")),
        ("A:b", ("A", "b")),
        ("A: \tb \t", ("A", "b")),
        ("A:", ("A", "")),
        ("A: b:c", ("A", "b:c")),
        ("!#$%&'*+.^_`|~09az-: \té\xff ", ("!#$%&'*+.^_`|~09az-", "é\xff")),
        ("Host: other", ("Host", "other")),
    ],
)
def test_a_header_line_is_split(line: str, pair: tuple[str, str]) -> None:
    assert parse_header(line) == pair


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "no colon"),
        ("A", "no colon"),
        (": b", "not a token"),
        (" A: b", "not a token"),
        ("A : b", "not a token"),
        ("A\r\nB: c", "not a token"),
        ("Ä: b", "not a token"),
        ("A(: b", "not a token"),
        ("A: b\r\nC: d", "smuggle"),
        ("A: b\nC: d", "smuggle"),
        ("A: b\rC", "smuggle"),
        ("A: b\0", "smuggle"),
        ("A: €", "ISO 8859-1"),
        ("connection: close", "the connection policy sets it"),
        ("KEEP-ALIVE: timeout=5", "the connection policy sets it"),
        ("Content-Length: 3", "it follows from --data"),
        ("Transfer-encoding: chunked", "it follows from --data"),
    ],
)
def test_a_header_line_that_can_not_be_sent_is_refused(line: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        parse_header(line)


@pytest.mark.parametrize("character", ["\x01", "\x7f"])
def test_control_characters_in_a_value_are_refused(character: str) -> None:
    """RFC 9110 §5.5: field values containing other CTL characters are also invalid."""
    with pytest.raises(PlanError):
        check_header("A", f"b{character}c")


# What is sent once more


def test_what_is_sent_once_more_depends_on_the_method() -> None:
    """RFC 9110 §9.2.2 for stale connections; RFC 9113 §8.7 lets any method be sent again that was not processed."""
    unprocessed = {-ErrorKind.HTTP2_GOAWAY, -ErrorKind.HTTP2_REFUSED_STREAM}
    streams = parse_policies("persistent,h2+streams:4")
    assert plan(policies=streams).retried_outcomes == frozenset()
    assert plan(policies=streams, retry_stale=True).retried_outcomes == unprocessed | {
        -ErrorKind.STALE_CONNECTION, -ErrorKind.CROSSED_BY_CLOSE,
    }  # fmt: skip
    assert plan(policies=streams, retry_stale=True, method="POST").retried_outcomes == unprocessed
