"""TE and trailers: asked for as RFC 9110 §10.1.4 wants it, counted wherever they come, and told of in the report."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.measure.data.recorder import BLOCKS_FILE
from loadgen.measure.live.block_report import RowReader, block_report
from loadgen.measure.live.live import Live
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import parse_header
from loadgen.model.plan import Plan
from loadgen.model.trailers import FORBIDDEN, MAX_NAMES, OTHER, TrailerCounts, add_trailers
from loadgen.show import tables
from loadgen.show.report import render
from loadgen.wire.http1.messages import build_request
from tests.support.processes import QUICK, compare, loadgen, scripted_server
from tests.support.synthetic import ENVIRONMENT, Scribe, full_run, links, persistent_links, plan_json

Summary = dict[str, Any]
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n%s\r\n"


# Counting


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


# Asking


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
    done = loadgen("compare", "http://127.0.0.1:1/", "-H", "TE: trailers", "--trailers")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_plan_keeps_it_and_an_earlier_one_had_none() -> None:
    plan = plan_json(trailers=True)
    assert Plan.from_json(plan).trailers
    del plan["trailers"]
    assert not Plan.from_json(plan).trailers


# End to end


@dataclass
class Account:
    """What the server saw: the TE and Connection fields of each request, and how many trailer sections it sent."""

    asked: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    cookies: int = 0
    sent: int = 0


def requests_on(connection: socket.socket) -> Iterator[dict[bytes, bytes]]:
    """The fields of each request, pipelined or not."""
    data = b""
    while more := connection.recv(65536):
        *heads, data = (data + more).split(b"\r\n\r\n")
        for head in heads:
            yield dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])


@contextmanager
def server(section: bytes, always: bool = False) -> Iterator[tuple[str, Account]]:
    """Answers with this trailer section where it is asked for one, or always. A section of b"" is none."""
    account, lock = Account(), threading.Lock()

    def script(connection: socket.socket, _number: int) -> None:
        for fields in requests_on(connection):
            te, option = fields.get(b"TE", b""), fields.get(b"Connection", b"")
            told = te == b"trailers" and b"TE" in option.split(b", ")
            with lock:
                account.asked[te, option] += 1
                account.cookies += b"Cookie" in fields
                account.sent += bool(section) and (told or always)
            connection.sendall(CHUNKED % section if told or always else PLAIN)
            if b"close" in option:
                return

    with scripted_server(script) as port:
        yield f"http://127.0.0.1:{port}/", account


def test_asked_and_sent(tmp_path: Path) -> None:
    policies = "persistent,close,http10-keepalive,pipeline:4"
    with server(b"X-Sum: 1\r\nx-more: 2\r\nX-More: 3\r\n") as (url, account):
        summary = compare(url, tmp_path / "run", "--trailers", "--users", "2", "--policies", policies)
    assert set(account.asked) == {
        (b"trailers", b"keep-alive, TE"), (b"trailers", b"close, TE"), (b"", b"keep-alive"),
    }  # fmt: skip
    found = {name: one["trailers"] for name, one in summary["policies"].items()}
    assert found.pop("http10-keepalive") == {"asked": False, "responses": 0, "fields": {}}
    assert sum(one["responses"] for one in found.values()) == account.sent > 0
    for name, one in found.items():
        carried = summary["policies"][name]["connections"]["exchanges_with_warmup"]
        assert one["asked"]
        assert one["responses"] == carried
        assert one["fields"] == {"x-sum": carried, "x-more": 2 * carried}
    assert not [one for one in summary["warnings"] if one["code"] == "forbidden_trailers"]


def test_asked_and_never_sent(tmp_path: Path) -> None:
    with server(b"") as (url, account):
        summary = compare(url, tmp_path / "run", "--trailers", "--policies", "persistent", "--users", "1")
    assert set(account.asked) == {(b"trailers", b"keep-alive, TE")}
    assert summary["policies"]["persistent"]["trailers"] == {"asked": True, "responses": 0, "fields": {}}
    said = tables.said_of_trailers(summary)
    assert "never sent any (persistent)" in said
    assert said in render(summary, {})


def test_sent_without_being_asked(tmp_path: Path) -> None:
    with server(b"Host: h\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\nX-Sum: 1\r\n", always=True) as (url, account):
        summary = compare(url, tmp_path / "run", "--policies", "persistent,close", "--users", "1")
    assert {te for te, _ in account.asked} == {b""}
    assert sum(one["trailers"]["responses"] for one in summary["policies"].values()) == account.sent
    assert not any(one["trailers"]["asked"] for one in summary["policies"].values())
    assert "without being asked (persistent, close)" in tables.said_of_trailers(summary)
    warned = [one["message"] for one in summary["warnings"] if one["code"] == "forbidden_trailers"]
    assert len(warned) == 2
    assert "host (" in warned[0]
    assert "content-length (" in warned[0]
    assert "set-cookie (" in warned[0]
    assert "x-sum" not in warned[0]
    assert account.cookies == 0  # one that is set behind the content is none


def test_several_processes_add_up(tmp_path: Path) -> None:
    with server(b"X-Sum: 1\r\n") as (url, account):
        summary = compare(
            url, tmp_path / "run", "--trailers", "--policies", "persistent", "--users", "2", "--processes", "2"
        )
    assert summary["policies"]["persistent"]["trailers"]["responses"] == account.sent > 0
    # What lies in the folder says the same.
    done = loadgen("report", str(tmp_path / "run"), "--json")
    assert json.loads(done.stdout)["policies"]["persistent"]["trailers"]["responses"] == account.sent


def test_plan_files_and_runs_hold_it(tmp_path: Path) -> None:
    with server(b"X-Sum: 1\r\n") as (url, _):
        arguments = ("--policies", "persistent", "--users", "1", "--save-plan", str(tmp_path / "plan.toml"))
        compare(url, tmp_path / "first", "--trailers", *arguments)
        assert "trailers = true" in (tmp_path / "plan.toml").read_text(encoding="utf-8")
        for number, plan in enumerate((tmp_path / "plan.toml", tmp_path / "first")):
            out = tmp_path / f"again{number}"
            done = loadgen("compare", "--plan", str(plan), "--out", str(out), "--json", "--no-charts", *QUICK)
            assert json.loads(done.stdout)["policies"]["persistent"]["trailers"]["asked"]


# Merging


def test_blocks_of_several_parts_are_added_up() -> None:
    parts = [
        {"window_ns": 1, "trailers": {"responses": 2, "fields": {"x-sum": 2}}},
        {"window_ns": 1, "trailers": {"responses": 3, "fields": {"x-sum": 3, "host": 1}}},
        {"window_ns": 1},  # of an earlier version
    ]
    assert merge_blocks(parts)["trailers"] == {"responses": 5, "fields": {"host": 1, "x-sum": 5}}


def test_a_run_under_way_adds_them_up_too(tmp_path: Path) -> None:
    plan = plan_json("persistent", trailers=True)
    live = Live(("persistent",))
    for worker in ("one", "two"):
        scribe = Scribe(tmp_path / worker, plan)
        scribe.block("persistent", 0, persistent_links(0), trailers={"responses": 7, "fields": {"x-sum": 7}})
        directory, recorder = scribe.store.directory, scribe.recorder
        rows = RowReader(directory).read(recorder.exchanges, recorder.connections)
        facts = json.loads((directory / BLOCKS_FILE).read_text(encoding="utf-8").splitlines()[-1])
        recorder.close()
        live.take(worker, "lane", block_report(facts, *rows, ("persistent",)))
    summary = live.summary("run", plan, ENVIRONMENT, [])
    assert summary is not None
    assert summary["policies"]["persistent"]["trailers"] == {"asked": True, "responses": 14, "fields": {"x-sum": 14}}


# Report


def summary_of(directory: Path, plan: dict[str, Any], **trailers: dict[str, Any]) -> Summary:
    """A run of `persistent` and `close`; trailers: of each of their blocks."""
    scribe = Scribe(directory / "run", plan)
    for number in range(5):
        for policy in ("persistent", "close"):
            scribe.block(policy, number, links(policy, number), trailers=trailers.get(policy))
    return scribe.summary()


def test_the_table_tells_each_policy_apart(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, plan_json(trailers=True), close={"responses": 100, "fields": {"x-sum": 100}})
    headings, (first, second) = tables.trailers(summary)
    assert dict(zip(headings, second, strict=True)) == {
        "policy": "close", "asked for": "yes", "responses with trailers": "500", "of": "510", "fields": "x-sum (500)",
    }  # fmt: skip
    assert first == ("persistent", "yes", "0", "510", "–")
    assert tables.said_of_trailers(summary) == (
        "Asked with TE: trailers, the target sent trailer sections (close). "
        "Asked with TE: trailers, the target never sent any (persistent); it need not. Warm-up included."
    )
    assert "<h2>Trailers<" in render(summary, {})


def test_where_nobody_asked_and_none_came_nothing_is_said(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    assert summary["policies"]["close"]["trailers"] == {"asked": False, "responses": 0, "fields": {}}
    assert "Trailers" not in render(summary, {})


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "host", "authorization", "content-type"])
def test_what_may_never_be_a_trailer_is_warned_of(tmp_path: Path, name: str) -> None:
    assert name in FORBIDDEN
    summary = summary_of(tmp_path, plan_json(), close={"responses": 9, "fields": {"etag": 9, name: 2}})
    (found,) = summary["warnings"]
    assert found["code"] == "forbidden_trailers"
    assert found["message"].startswith("close: ")
    assert f"behind it: {name} (10) (RFC" in found["message"]


def test_many_forbidden_ones_are_still_one_line(tmp_path: Path) -> None:
    fields = dict.fromkeys(sorted(FORBIDDEN)[:8], 1)
    (found,) = summary_of(tmp_path, plan_json(), close={"responses": 1, "fields": fields})["warnings"]
    assert "and 3 more" in found["message"]
