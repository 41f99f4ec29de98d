"""`loadgen probe`: what it prints, writes and exits with."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import gevent
import pytest

from loadgen.cli.audit_console import show_cost
from loadgen.model.target import parse_target
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.progress import progress_text
from loadgen.probe.session import ProbeSession
from tests.support.processes import HELLO, read_request, scripted_server
from tests.support.runner import run_cli
from tests.support.summary_schema import check_audit

ONE = ("--only", "persistent_by_default")


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(HELLO)


def closes_silently(connection: socket.socket, _number: int) -> None:
    if read_request(connection):
        connection.sendall(HELLO)


def test_list_names_each_probe() -> None:
    done = run_cli("probe", "--list")
    assert done.code == 0
    assert "persistent_by_default" in done.stdout


def test_a_list_of_some_has_those_that_they_need_skipped_or_not() -> None:
    done = run_cli("probe", "--list", "--only", "stale_window", "--skip", "idle_timeout")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["idle:", "idle_timeout", "stale_window"]


URL = "http://127.0.0.1:9/"
BAD = [
    ([URL, "--json", "--markdown"], "--json and --markdown both print"),
    (["127.0.0.1:80/"], "no scheme"),
    (["ftp://127.0.0.1/"], "'ftp' is unknown"),
    (["http://127.0.0.1:99999/"], "bad port"),
    (["http://u:p@127.0.0.1/"], "credentials"),
    ([URL, "http://127.0.0.1:10/"], "unexpected extra argument"),
    ([URL, "--only", "idle_timeou"], "did you mean idle_timeout?"),
    ([URL, "--only", "persistence", "--skip", "persistence"], "leave no check to run"),
    ([URL, "--only", ""], "--only"),
    ([URL, "--idle-max", "soon"], "not a duration"),
    ([URL, "--idle-max", "0s"], "--idle-max is 0 ns; at least 100 ms is needed"),
    ([URL, "--max-time", "0s"], "--max-time"),
    ([URL, "--max-requests", "1"], "--max-requests is 1; at least 2 is needed"),
    ([URL, "--max-requests", "many"], "not a valid int"),
    ([URL, "--timeout", "0"], "at least 1 ms"),
    ([URL, "--origin", "backend"], "no scheme"),
    ([URL, "--backend-header", "no token"], "--backend-header"),
    ([URL, "--backend-header", ""], "--backend-header"),
    ([URL, "--proxy", "ftp://127.0.0.1/"], "ftp"),
    ([URL, "--source-ip", "nowhere"], "nowhere"),
    ([URL, "-H", "no colon"], "no colon"),
    ([URL, "-H", "X: a\r\nY: b"], "smuggle"),
    ([URL, "--tls"], "--tls is for the embedded target"),
    (["--cacert", __file__], "an authority of its own"),
    ([URL, "--cacert", "/nowhere.pem"], "No such file"),
    ([URL, "--html", "/"], "--html / is a folder"),
    ([URL, "--html", "/nowhere/at/all.html"], "--html /nowhere/at/all.html can't be written: No such file"),
    ([URL, "--nonsense"], "nonsense"),
    ([URL, *ONE, "--fail-if", "persistent_by_defolt.verdict == ok"], "did you mean 'persistent_by_default.verdict'?"),
    ([URL, *ONE, "--fail-if", "stale_window.rate > 0"], "asks for the check stale_window, which does not run here"),
    ([URL, *ONE, "--fail-if", "persistent_by_default.verdict == bad"], "it is one of ok, note, warning, violation"),
    ([URL, "--fail-if", "idle_timeout.timeout < 60"], "is a time; give the limit a unit"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "text"), BAD, ids=lambda value: str(value)[-60:])
def test_bad_input_is_one_line(arguments: list[str], text: str) -> None:
    done = run_cli("probe", *arguments)
    assert (done.code, done.stdout) == (2, ""), done.stderr
    assert text in done.stderr
    assert done.stderr.startswith("loadgen: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://no-such-host.invalid/"], ids=["refused", "unresolvable"]
)
def test_no_connection_at_all(url: str, closed_port: int) -> None:
    done = run_cli("probe", url.format(port=closed_port), *ONE, "--quiet")
    assert (done.code, done.stdout) == (3, "")
    assert "no connection could be opened" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_table_json_markdown_and_page(tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    with scripted_server(hello) as port:
        url = f"http://127.0.0.1:{port}/"
        table = run_cli("probe", url, *ONE, "--html", str(page))
        as_json = run_cli("probe", url, *ONE, "--json")
        markdown = run_cli("probe", url, *ONE, "--markdown")
        quiet = run_cli("probe", url, *ONE, "--quiet")
    assert {one.code for one in (table, as_json, markdown, quiet)} == {0}
    assert "HTTP/1.1 stays open  ok         3 of 3 requests answered" in table.stdout
    assert table.stdout.splitlines()[-1] == "1 ok"
    assert f"1 check of {url}: at most " in table.stderr
    assert "1 ok" in page.read_text(encoding="utf-8")
    check_audit(json.loads(as_json.stdout))
    assert json.loads(as_json.stdout)["findings"]["persistent_by_default"]["verdict"] == "ok"
    assert as_json.stderr == ""
    assert "| HTTP/1.1 stays open |" in markdown.stdout
    assert (quiet.stdout, quiet.stderr) == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["audit.html"]


def test_strict_fails_on_a_violation_alone() -> None:
    with scripted_server(closes_silently) as port:
        url = f"http://127.0.0.1:{port}/"
        lenient, strict = run_cli("probe", url, *ONE), run_cli("probe", url, *ONE, "--strict")
    assert (lenient.code, strict.code) == (0, 1)
    assert strict.stdout.splitlines()[-1] == "1 violation"
    with scripted_server(hello) as port:
        assert run_cli("probe", f"http://127.0.0.1:{port}/", *ONE, "--strict").code == 0


def test_gates_over_findings() -> None:
    gates = ("--fail-if", "violations > 0", "--fail-if", "persistent_by_default.requests < 3", "--json")
    with scripted_server(closes_silently) as port:
        failed = run_cli("probe", f"http://127.0.0.1:{port}/", *ONE, *gates)
    assert failed.code == 1
    assert "loadgen: gate failed: violations > 0: 1" in failed.stderr.splitlines()
    check_audit(json.loads(failed.stdout))
    with scripted_server(hello) as port:
        passed = run_cli("probe", f"http://127.0.0.1:{port}/", *ONE, *gates)
    assert (passed.code, passed.stderr) == (0, "")
    found = json.loads(passed.stdout)["gates"]
    assert [(gate["field"], gate["passed"], gate["value"]) for gate in found] == [
        ("violations", True, 0), ("persistent_by_default.requests", True, 3),
    ]  # fmt: skip


def closes_at_once(_connection: socket.socket, _number: int) -> None:
    pass


def says_garbage(connection: socket.socket, _number: int) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    connection.recv(65536)


def never_answers(connection: socket.socket, _number: int) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize("script", [closes_at_once, says_garbage, never_answers])
def test_a_server_that_answers_nothing_useful_gets_a_readable_audit(script: object) -> None:
    with scripted_server(script) as port:  # type: ignore[arg-type] # each is a script
        done = run_cli("probe", f"http://127.0.0.1:{port}/", *ONE, "--timeout", "200ms")
    assert done.code == 0, done.stderr
    assert "unknown    no response to a plain request" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 unknown"


def test_ctrl_c_shows_what_is_known() -> None:
    def interrupts(connection: socket.socket, number: int) -> None:
        hello_once = read_request(connection)
        if hello_once and number == 8:  # the first request and most of the idle ones are open
            os.kill(os.getpid(), signal.SIGINT)
        connection.sendall(HELLO)
        hello(connection, number)

    with scripted_server(interrupts) as port:
        done = run_cli("probe", f"http://127.0.0.1:{port}/", "--only", "idle_timeout", "--idle-max", "60s")
    assert done.code == 130, done.stderr
    assert "interrupted: it says what was known by then" in done.stdout
    assert "unknown    longer than" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 unknown"


def _never(_session: ProbeSession) -> Finding:
    raise AssertionError("it is not run")


def test_the_cost_is_said_beforehand(capsys: pytest.CaptureFixture[str]) -> None:
    probe = Probe(name="x", title="X", question="X?", method="X.", section="", requests=1000, connections=4, run=_never)
    show_cost(Audit(AuditPlan(target=parse_target("http://127.0.0.1/")), [probe]))
    assert (
        "1 check of http://127.0.0.1/: at most 1,006 requests on 10 connections within 120 s" in capsys.readouterr().err
    )


def test_the_progress_line_says_what_the_longest_wait_is_for() -> None:
    seen: list[str] = []

    def waits(session: ProbeSession) -> Finding:
        session.waiting_for = "idle connections to be closed"
        session.waiting_until_ns = session.now_ns() + 61_500_000_000
        seen.append(progress_text(audit))
        raise OSError("it ends")

    probe = Probe(name="x", title="X", question="X?", method="X.", section="", requests=1, connections=1, run=waits)
    with scripted_server(hello) as port:
        audit = Audit(AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/")), [probe])
        assert progress_text(audit) == "0 of 1 known"
        gevent.spawn(audit.run).get()
    assert seen == ["0 of 1 known · waiting for idle connections to be closed, up to 61 s more"]
    assert progress_text(audit) == "1 of 1 known"
