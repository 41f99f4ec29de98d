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

import pytest

from loadgen.show import tables
from loadgen.show.export.html import render
from tests.support.processes import QUICK, compare, loadgen, scripted_server

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n%s\r\n"


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
    said = tables.trailers_note(summary)
    assert "never sent any (persistent)" in said
    assert said in render(summary, {})


def test_sent_without_being_asked(tmp_path: Path) -> None:
    with server(b"Host: h\r\nContent-Length: 9\r\nSet-Cookie: a=b\r\nX-Sum: 1\r\n", always=True) as (url, account):
        summary = compare(url, tmp_path / "run", "--policies", "persistent,close", "--users", "1")
    assert {te for te, _ in account.asked} == {b""}
    assert sum(one["trailers"]["responses"] for one in summary["policies"].values()) == account.sent
    assert not any(one["trailers"]["asked"] for one in summary["policies"].values())
    assert "without being asked (persistent, close)" in tables.trailers_note(summary)
    warned = [one["message"] for one in summary["warnings"] if one["code"] == "forbidden_trailers"]
    assert len(warned) == 2
    assert "host (" in warned[0]
    assert "content-length (" in warned[0]
    assert "set-cookie (" in warned[0]
    assert "x-sum" not in warned[0]
    assert account.cookies == 0  # one that is set behind the content is none


@pytest.mark.usefixtures("no_drawing")
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
