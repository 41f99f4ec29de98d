"""Whole runs by a proxy: real ones and one of ours, their accounts beside ours, their refusals in one line each."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from tests.support.hostile.run import run_here
from tests.support.processes import QUICK, Script, loadgen, loadgen_process, read_request, scripted_server
from tests.support.proxies import (
    PASSWORD,
    REAL,
    USER,
    Refuse,
    asks,
    asks_and_closes,
    asks_and_closes_unsaid,
    basic,
    fake_proxy,
    proxy_url,
)
from tests.support.runs import Start, begin_sweep
from tests.support.targets import Target

SECRETS = (PASSWORD, basic(PASSWORD).split()[1].rstrip("=")[:-1])
SHORT = ["--users", "3", *QUICK, "--no-charts"]


def run(folder: Path, proxy: str, *arguments: str) -> dict[str, Any]:
    """A quick comparison through `proxy`, against the embedded target unless a URL is among the arguments."""
    done = loadgen("compare", "--proxy", proxy, "--json", "--out", "run", *SHORT, *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def run_briefly(folder: Path, proxy: str, target: Target, policies: str) -> dict[str, Any]:
    """The summary of one short block of each policy, by the engine alone: it takes no look at the proxy's hops."""
    options = ("--proxy", proxy, "--policies", policies)
    return run_here(target.url, folder / "run", *options, ca_file=target.ca_file).summary


def refused(folder: Path, proxy: str, *arguments: str) -> str:
    """The one line of a run that never got a sample; it has left nothing."""
    done = loadgen("compare", "--proxy", proxy, "--out", "run", *SHORT, *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not any(secret in done.stderr for secret in SECRETS)
    assert not (folder / "run").exists()
    return done.stderr


def counts(summary: dict[str, Any], key: str) -> int:
    return sum(one["connections"][key] for one in summary["policies"].values())


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    with REAL[request.param]() as port:
        yield request.param, port


# Real proxies


@pytest.mark.peer
def test_requests_in_absolute_form(real: tuple[str, int], tmp_path: Path) -> None:
    name, port = real
    summary = run(tmp_path, proxy_url(port), "--think", "0s")  # or a close is seen before the next request
    account = summary["environment"]["embedded_target"]
    assert all(one["statuses"].keys() == {"200"} for one in summary["policies"].values())
    for one in summary["policies"].values():
        assert one["phases_ns"]["tunnel"]["count"] == one["phases_ns"]["tls"]["count"] == 0
    close, kept = summary["policies"]["close"], summary["policies"]["persistent"]
    assert close["connections"]["requests_per_connection"] == 1
    assert close["phases_ns"]["connect"]["count"] == close["requests"]
    assert summary["environment"]["target"]["port"] == port
    assert summary["environment"]["target"]["proxy"] == f"127.0.0.1:{port}"
    hops = summary["environment"]["proxy"]["hop_by_hop"]
    assert (hops["reason"], hops["forwarded"], hops["response_removed"]) == (None, [], True)
    # The proxy itself answered the first request, with its challenge.
    assert account["requests"] == counts(summary, "exchanges_with_warmup") - 1
    if name == "squid":
        assert kept["connections"]["opened"] == kept["connections"]["ideal"] == 6
        assert kept["phases_ns"]["connect"]["count"] == 0
    else:  # it closes after each answer and does not say so: that is what a user of it has to know
        assert kept["errors"].keys() == {"stale_connection"}
        assert account["accepted"] == account["requests"]


@pytest.mark.peer
def test_tls_through_a_tunnel(real: tuple[str, int], tmp_path: Path) -> None:
    name, port = real
    summary = run(tmp_path, proxy_url(port), "--tls")
    account = summary["environment"]["embedded_target"]
    # Each tunnel is one connection of the target's, and it saw every request that we count. One proxy answers with its
    # challenge and closes: that connection came no further.
    assert account["accepted"] == counts(summary, "opened") - (name == "tinyproxy")
    assert account["requests"] == counts(summary, "exchanges_with_warmup")
    assert counts(summary, "proxy_asked") == (name == "tinyproxy")
    assert counts(summary, "warmup_errors") == 0
    kept, close = summary["policies"]["persistent"], summary["policies"]["close"]
    assert kept["connections"]["opened"] == kept["connections"]["ideal"] == 6 + kept["connections"]["proxy_asked"]
    assert kept["phases_ns"]["tunnel"]["count"] == kept["phases_ns"]["tls"]["count"] == 0
    assert close["requests"] > 0
    for phase in ("connect", "tunnel", "tls"):
        assert close["phases_ns"][phase]["count"] == close["requests"]
        assert close["phases_ns"][phase]["mean"] > 0
    assert kept["errors"] == close["errors"] == {}
    assert summary["environment"]["target"]["tls"]["version"] == "TLSv1.3"
    assert "not applicable" in summary["environment"]["proxy"]["hop_by_hop"]["reason"]


@pytest.mark.peer
def test_other_protocols_through_a_tunnel_in_clear(real: tuple[str, int], tmp_path: Path) -> None:
    name, port = real
    summary = run(tmp_path, proxy_url(port), "--policies", "websocket,h2-prior,h2+recycle:3", "--think", "0s")
    for policy, one in summary["policies"].items():
        assert (one["errors"], one["requests"] > 0) == ({}, True), policy
    assert summary["policies"]["h2+recycle:3"]["phases_ns"]["tunnel"]["count"] > 3
    account = summary["environment"]["embedded_target"]
    assert account["accepted"] == counts(summary, "opened") - (name == "tinyproxy")
    assert account["protocols"]["websocket"] > 0
    assert account["protocols"]["h2"] == account["accepted"] - account["protocols"]["websocket"]


@pytest.mark.peer
def test_an_upgrade_to_h2c_ends_at_the_proxy(tmp_path: Path) -> None:
    with REAL["squid"]() as port:
        summary = run(tmp_path, proxy_url(port), "--policies", "h2c-upgrade")
    connections = summary["policies"]["h2c-upgrade"]["connections"]
    assert (connections["upgraded"], connections["upgrade_declined"]) == (0, connections["opened"])
    assert summary["environment"]["embedded_target"]["protocols"]["http/1.1"] > 0


@pytest.mark.peer
@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["absolute", "tunnel"])
@pytest.mark.parametrize(
    ("credentials", "said"), [("user:s3cretwurd@", "does not accept"), ("", "none were given")], ids=["wrong", "none"]
)
def test_real_proxies_want_the_right_credentials(
    real: tuple[str, int], tmp_path: Path, credentials: str, said: str, tls: list[str]
) -> None:
    name, port = real
    if name == "tinyproxy" and credentials and not tls:
        # It answers them with 401, which might as well be the target's; with CONNECT it can only be the proxy's.
        summary = run(tmp_path, proxy_url(port, credentials), "--policies", "close")
        assert summary["policies"]["close"]["statuses"].keys() == {"401"}
        assert "http_errors" in [warning["code"] for warning in summary["warnings"]]
        return
    line = refused(tmp_path, proxy_url(port, credentials), *tls)
    assert line.startswith(f"loadgen: the proxy 127.0.0.1:{port}, on the way to http")
    assert f": proxy authentication: the proxy {'wants credentials' if not credentials else 'does not'}" in line
    assert said in line


@pytest.mark.peer
def test_a_target_that_is_down_behind_the_proxy(real: tuple[str, int], closed_port: int, tmp_path: Path) -> None:
    _, port = real
    nowhere = f"//127.0.0.1:{closed_port}/"
    line = refused(tmp_path, proxy_url(port), f"https:{nowhere}")
    assert ": proxy refused: the proxy answered CONNECT with 50" in line
    summary = run(tmp_path, proxy_url(port), f"http:{nowhere}", "--policies", "close")
    assert all(500 <= int(status) < 600 for status in summary["policies"]["close"]["statuses"])
    assert "http_errors" in [warning["code"] for warning in summary["warnings"]]
    assert summary["environment"]["proxy"]["hop_by_hop"]["reason"].startswith("unknown: the target does not say")


# A proxy of ours


def test_a_proxy_that_is_down_is_named_and_not_the_target(closed_port: int, tmp_path: Path) -> None:
    for arguments in ([], ["--tls"]):
        line = refused(tmp_path, proxy_url(closed_port), *arguments)
        assert line.startswith(f"loadgen: the proxy 127.0.0.1:{closed_port}, on the way to http")
        assert ": connect refused: " in line


@pytest.mark.parametrize("policies", ["persistent", "close", "recycle:3", "pool:2", "pipeline:2", "h2c-upgrade"])
@pytest.mark.parametrize("refuse", [asks, asks_and_closes, asks_and_closes_unsaid])
def test_a_challenge_is_met_once_in_absolute_form(
    share_target: Start, tmp_path: Path, refuse: Refuse, policies: str
) -> None:
    target = share_target()
    with fake_proxy(refuse) as (fake, port):
        summary = run_briefly(tmp_path, proxy_url(port), target, policies)
    assert fake.asked == 1
    assert fake.shown > 5
    assert target.stats()["requests"] == fake.shown
    assert summary["policies"][policies]["errors"] == {}
    assert all(head.split(b" ", 2)[1].startswith(b"http://127.0.0.1:") for head in fake.heads)


@pytest.mark.parametrize("policies", ["persistent", "close", "websocket", "h2-prior"])
@pytest.mark.parametrize("refuse", [asks, asks_and_closes, asks_and_closes_unsaid])
def test_a_challenge_is_met_once_by_connect(share_target: Start, tmp_path: Path, refuse: Refuse, policies: str) -> None:
    target = share_target("--tls") if policies in ("persistent", "close") else share_target()
    with fake_proxy(refuse) as (fake, port):
        summary = run_briefly(tmp_path, proxy_url(port), target, policies)
    assert fake.asked == 1
    (one,) = summary["policies"].values()
    opened = one["connections"]["opened"]
    assert fake.shown == opened - (refuse is not asks)  # the one that the proxy closed had no tunnel
    assert target.stats()["accepted"] == fake.shown
    assert {head.split(b" ", 1)[0] for head in fake.heads} == {b"CONNECT"}
    assert fake.heads[0].split(b"\r\n")[0].endswith(b" HTTP/1.1")
    assert one["errors"] == {}


def test_both_ways_in_one_run(share_target: Start, tmp_path: Path) -> None:
    with fake_proxy() as (fake, port):
        summary = run(tmp_path, proxy_url(port), share_target().url, "--policies", "close,h2-prior,persistent")
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert {head.split(b" ", 1)[0] for head in fake.heads} == {b"CONNECT", b"GET"}
    assert fake.asked == 2  # the look at the hops, and the run's first request
    (warning,) = [one for one in summary["warnings"] if one["code"] == "hop_by_hop_forwarded"]
    assert "x-loadgen-hop, te, keep-alive, proxy-connection, proxy-authorization of the request" in warning["message"]


@pytest.mark.parametrize(
    "opening",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\n",
    ],
)
@pytest.mark.parametrize(
    ("options", "policies"), [(["--tls"], "persistent,close"), ([], "websocket-close")], ids=["tls", "websocket"]
)
def test_a_2xx_to_connect_has_no_content(
    share_target: Start, tmp_path: Path, opening: bytes, options: list[str], policies: str
) -> None:
    with fake_proxy(None, opening) as (fake, port):
        summary = run_briefly(tmp_path, proxy_url(port), share_target(*options), policies)
    assert all(one["errors"] == {} and one["requests"] for one in summary["policies"].values())
    assert not any(b"proxy-authorization" in head.lower() for head in fake.heads)  # nobody asked for it


def answers(*answers: bytes) -> Script:
    """Answers request after request, then closes."""

    def script(connection: socket.socket, _number: int) -> None:
        for answer in answers:
            if read_request(connection):
                connection.sendall(answer)

    return script


def silent(connection: socket.socket, _number: int) -> None:
    while connection.recv(65536):
        pass


ASKED = b"HTTP/1.1 407 No\r\nProxy-Authenticate: %b\r\nContent-Length: 0\r\n\r\n"
BASIC = ASKED % b'Basic realm="x"'
REFUSALS: dict[str, tuple[Script, str]] = {
    "403": (answers(b"HTTP/1.1 403 Forbidden\r\n\r\n"), "proxy refused: the proxy answered CONNECT with 403 Forbidden"),
    "407 twice": (answers(BASIC, BASIC), "proxy authentication: the proxy does not accept"),
    "407, a close, 407": (answers(BASIC), "proxy authentication: "),
    "Digest": (
        answers(ASKED % b'Digest realm="x"'),
        "proxy authentication: the proxy wants credentials, it asks for D",
    ),
    "garbage": (answers(b"SSH-2.0-x\r\n\r\n"), "not http: "),
    "silent": (silent, "proxy timeout: no answer within the time allowed; allow more with --timeout"),
    "closes": (answers(b""), "closed without response: the proxy closed the connection instead of answering CONNECT"),
    "half": (answers(b"HTTP/1.1 200 "), "truncated: the proxy closed the connection within its answer to CONNECT"),
    "no TLS behind it": (answers(b"HTTP/1.1 200 OK\r\n\r\nhello"), "tls failed: "),
}


@pytest.mark.parametrize(("script", "said"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_of_a_tunnel(tmp_path: Path, script: Script, said: str) -> None:
    with scripted_server(script) as port:
        line = refused(tmp_path, proxy_url(port), "https://target.example/", "--timeout", "1s")
    assert said in line
    assert "https://target.example/" in line
    assert f"127.0.0.1:{port}" in line


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (answers(BASIC, BASIC), "proxy authentication: the proxy does not accept"),
        (answers(ASKED % b"NTLM"), "it asks for NTLM"),
        (silent, "response timeout: "),
        (answers(b""), "closed without response: "),
    ],
)
def test_refusals_of_a_request(tmp_path: Path, script: Script, said: str) -> None:
    with scripted_server(script) as port:
        line = refused(tmp_path, proxy_url(port), "http://target.example/", "--timeout", "300ms")
    assert said in line
    assert "http://target.example/" in line


# Secrets


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def processes_with(secrets: tuple[str, ...]) -> list[str]:
    """Command lines and environments, of all processes here, that hold one of these."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes().decode("latin-1")
            except OSError:
                continue
            found += [text for secret in secrets if secret in text]
    return found


@pytest.mark.usefixtures("no_drawing")
@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["absolute", "tunnel"])
def test_credentials_are_left_nowhere(tmp_path: Path, tls: list[str]) -> None:
    """Not in a file of the run, not in what is printed, not where other users of the machine can see them."""
    password = token_hex(12)
    secrets = (password, basic(password).split()[1].rstrip("=")[:-1])
    looks: list[list[str]] = []

    def look(connection: socket.socket, request: bytes) -> bool:
        looks.append(processes_with(secrets))
        return asks(connection, request)

    folder = tmp_path / "work"
    folder.mkdir()
    plan = tmp_path / "secret.toml"
    with fake_proxy(look, password=password) as (_, port):
        url = proxy_url(port, f"{USER}:{password}@")
        plan.write_text(f'proxy = "{url}"\n', encoding="utf-8")
        arguments = ["compare", "--plan", str(plan), "--out", "run", "--save-plan", "saved.toml", "--users", "2"]
        done = loadgen_process(*arguments, *QUICK, *tls, "--no-charts", cwd=folder)
        assert done.returncode == 0, done.stderr
        again = loadgen("compare", "--plan", "run", cwd=folder)
        report = loadgen("report", "run", cwd=folder)
        dry = loadgen("compare", "--plan", str(plan), "--dry-run", cwd=folder)
        assert looks
        assert all(look == [] for look in looks)
        more = [*QUICK, "--json", "--no-charts", *tls]
        by_line = loadgen_process("compare", "--proxy", url, "--out", "two", *more, cwd=folder)
    written = files_of(folder)
    assert {"run.json", "summary.json", "report.html", "saved.toml"} <= {path.name for path in written}
    assert len([path for path in written if path.name == "summary.json"]) == 2
    for secret in secrets:
        assert [path for path, content in written.items() if secret.encode() in content] == []
        for one in (done, again, report, dry, by_line):
            assert secret not in one.stdout + one.stderr
    assert (again.returncode, report.returncode, dry.returncode, by_line.returncode) == (2, 0, 0, 0)
    assert len(again.stderr.splitlines()) == 1
    assert "did not record its proxy's credentials" in again.stderr
    assert f"by way of the proxy 127.0.0.1:{port}" in (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "give those of --proxy when you run it" in done.stderr


def test_the_kernel_is_asked_about_the_proxys_sockets(tmp_path: Path) -> None:
    with fake_proxy(None) as (_, port):
        summary = run(tmp_path, f"http://127.0.0.1:{port}", "--policies", "close", "--source-ip", "127.0.0.2")
    # How many that are is the proxy's speed, which is written in Python here and has a thread for each.
    assert summary["policies"]["close"]["sockets"]["time_wait_client"] > 0
    assert summary["policies"]["close"]["server"]["cpu_ns_per_request"] > 0


def test_several_workers_each_meet_the_challenge(share_target: Start, tmp_path: Path) -> None:
    with fake_proxy() as (fake, port):
        summary = run(tmp_path, proxy_url(port), share_target().url, "--processes", "2", "--policies", "close")
    assert fake.asked == 3
    assert summary["policies"]["close"]["errors"] == {}


def test_a_sweep_goes_on_with_the_credentials_given_again(tmp_path: Path) -> None:
    with fake_proxy() as (fake, port):
        begun = begin_sweep(tmp_path, "--recycle", "1,2,4", "--proxy", proxy_url(port))
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=60)
        assert begun.returncode == 130, said
        refused = loadgen("sweep", "--resume", "run", cwd=tmp_path)
        assert refused.returncode == 2
        assert "did not record its proxy's credentials" in refused.stderr
        before = fake.asked
        done = loadgen("sweep", "--resume", "run", "--proxy", proxy_url(port), "--quiet", "--no-charts", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert fake.asked == before + 1  # by its new worker; the hops are known
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert not any(secret.encode() in content for content in files_of(tmp_path).values() for secret in SECRETS)


def test_an_interruption_while_a_proxy_is_silent_leaves_nothing(tmp_path: Path) -> None:
    reached = threading.Event()

    def hold(connection: socket.socket, _number: int) -> None:
        reached.set()
        silent(connection, _number)

    with scripted_server(hold) as port:
        command = [sys.executable, "-m", "loadgen", "compare", "--proxy", proxy_url(port), "--out", "run"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out, said.strip()) == (130, "", "loadgen: interrupted")
    assert list(tmp_path.iterdir()) == []


def test_the_environment_says_nothing_of_proxies(tmp_path: Path) -> None:
    """A measurement must not change with a variable that somebody set elsewhere."""
    nowhere = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    done = loadgen_process("compare", "--no-charts", "--out", "run", *QUICK, cwd=tmp_path, env=os.environ | nowhere)
    assert (done.returncode, done.stderr) == (0, "")
