"""TE and trailers: asked for as RFC 9110 §10.1.4 wants it, and counted by name within bounds."""

from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.headers import parse_header
from loadgen.model.plan import Plan
from loadgen.model.trailers import MAX_NAMES, OTHER, TrailerCounts, add_trailers
from loadgen.wire.http1.request_writer import build_request
from tests.support.runner import run_cli
from tests.support.synthetic import plan_json


def test_fields_are_counted_by_lower_case_name_and_taken_once() -> None:
    counts = TrailerCounts()
    counts.note([(b"X-Sum", b"1"), (b"x-sum", b"2"), (b"Server-Timing", b"a")])
    counts.note([(b"X-SUM", b"1")])
    assert counts.take() == {"responses": 2, "fields": {"x-sum": 3, "server-timing": 1}}
    assert counts.take() == {"responses": 0, "fields": {}}


def test_a_server_that_makes_names_up_fills_no_memory() -> None:
    counts = TrailerCounts()
    for number in range(10 * MAX_NAMES):
        counts.note([(b"x-%d" % number, b"")])
    found = counts.take()
    assert len(found["fields"]) == MAX_NAMES + 1
    assert found["fields"][OTHER] == 9 * MAX_NAMES
    assert sum(found["fields"].values()) == found["responses"] == 10 * MAX_NAMES


def test_sums_are_exact_and_bounded_too() -> None:
    blocks = [{"responses": 60, "fields": {f"x-{block}-{name}": 1 for name in range(60)}} for block in range(3)]
    total = add_trailers([*blocks, None, {"responses": 1, "fields": {"x-0-0": 5, OTHER: 2, "host": 1}}])
    assert total["responses"] == 181
    assert sum(total["fields"].values()) == 188
    assert len(total["fields"]) == MAX_NAMES + 1
    assert total["fields"]["x-0-0"] == 6
    assert total["fields"]["host"] == 1  # rare, and what somebody must hear of


@pytest.mark.parametrize(
    ("connection", "version", "named"),
    [
        ("keep-alive", "1.1", b"keep-alive, TE"),
        ("close", "1.1", b"close, TE"),
        ("Upgrade, HTTP2-Settings", "1.1", b"Upgrade, HTTP2-Settings, TE"),
        ("", "1.1", b"TE"),
        ("keep-alive", "1.0", b"keep-alive"),
        ("", "1.0", None),
    ],
)
def test_who_sends_te_names_it_in_connection(connection: str, version: str, named: bytes | None) -> None:
    raw = build_request("GET", "/", "h", (), b"", connection, version, trailers=True)
    lines = raw.split(b"\r\n")
    assert [line for line in lines if line.startswith(b"Connection:")] == ([b"Connection: " + named] if named else [])
    assert lines.count(b"TE: trailers") == (version == "1.1")
    assert b"TE" not in build_request("GET", "/", "h", (), b"", connection, version)


@pytest.mark.parametrize("line", ["TE: trailers", "te: gzip", "Te:"])
def test_a_te_of_ones_own_is_refused_in_one_line(line: str) -> None:
    with pytest.raises(PlanError, match="--trailers") as raised:
        parse_header(line)
    assert "\n" not in str(raised.value)


def test_a_te_of_ones_own_is_refused_by_the_command_too() -> None:
    done = run_cli("compare", "http://127.0.0.1:1/", "-H", "TE: trailers", "--trailers")
    assert done.code == 2
    assert done.stderr.count("\n") == 1


def test_a_plan_keeps_it_and_an_earlier_one_had_none() -> None:
    plan = plan_json(trailers=True)
    assert Plan.from_json(plan).trailers
    del plan["trailers"]
    assert not Plan.from_json(plan).trailers
