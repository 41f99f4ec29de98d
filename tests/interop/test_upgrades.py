"""WebSocket and HTTP/2 against independent servers: their counts beside ours, and the phases."""

from __future__ import annotations

import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.model.records import COLUMNS
from tests.support.processes import loadgen, scripted_server
from tests.support.upgrade_servers import (
    Http2Side,
    counting_server,
    echo_server,
    http2_script,
    nghttpd,
    nghttpx,
    nginx2,
)

pytestmark = pytest.mark.peer
PHASES = ("queue", "dns", "connect", "tunnel", "tls", "upgrade", "send", "wait", "receive")


class Run:
    """A quick comparison: its summary, and the samples of each policy as columns."""

    def __init__(self, url: str, folder: Path, policies: str, *arguments: str, users: int = 3) -> None:
        done = loadgen(
            *("compare", url, "--policies", policies, "--rounds", "1", "--block", "250ms", "--warmup", "50ms"),
            *("--out", str(folder / "run"), "--json", "--no-charts", *arguments),
            *(() if "--rate" in arguments else ("--users", f"{users}")),
        )
        assert done.returncode == 0, done.stderr
        self.summary = json.loads(done.stdout)
        self.policies: dict[str, dict[str, Any]] = self.summary["policies"]
        with np.load(folder / "run" / "samples.npz") as samples:
            columns = {name: samples[name].astype(np.int64) for name in COLUMNS if name in samples}
        self.columns = {
            name: {column: values[columns["policy"] == index] for column, values in columns.items()}
            for index, name in enumerate(self.policies)
        }
        for name, one in self.policies.items():
            assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"], name
            assert one["requests"] > 0, name
            for phase in PHASES:
                assert (self.columns[name][phase] >= -1).all(), (name, phase)

    def opened(self, *names: str) -> int:
        """How many connections these policies opened, all of them where none is named."""
        return sum(self.policies[name]["connections"]["opened"] for name in names or self.policies)

    def exchanges(self, *names: str) -> int:
        return sum(self.policies[name]["connections"]["exchanges_with_warmup"] for name in names or self.policies)

    def check_upgrades(self, *names: str) -> None:
        """The phase is there where a connection's first request paid for it, and nowhere else."""
        for name in names:
            columns = self.columns[name]
            first = columns["nth_on_connection"] == 0
            assert ((columns["upgrade"] >= 0) == first).all(), name
            connections = self.policies[name]["connections"]
            assert connections["upgraded"] == connections["opened"], name

    def no_upgrades(self, *names: str) -> None:
        for name in names:
            assert (self.columns[name]["upgrade"] == -1).all(), name

    def no_errors(self) -> None:
        for name, one in self.policies.items():
            assert (one["errors"], set(one["statuses"]) <= {"101", "200"}) == ({}, True), name


# WebSocket


def test_the_websockets_library_counts_the_same(tmp_path: Path) -> None:
    policies = "websocket,websocket-close,websocket+recycle:5,websocket+lifetime:30ms,websocket+abandon"
    with echo_server() as server:
        run = Run(server.url, tmp_path, policies)
        seen = server.end()
    run.no_errors()
    run.check_upgrades(*policies.split(","))
    assert len(seen) == run.opened()
    assert sum(one["messages"] for one in seen) == run.exchanges()
    # One left unannounced for each of `abandon`, with a Close frame for each of the others.
    codes = Counter(one["code"] for one in seen)
    assert codes == {1000: len(seen) - run.opened("websocket+abandon"), None: run.opened("websocket+abandon")}
    assert all((columns["status"] == 101).all() for columns in run.columns.values())
    sizes = Counter(one["messages"] for one in seen)
    assert sizes[5] >= run.opened("websocket+recycle:5") - 3
    assert run.policies["websocket-close"]["connections"]["server_ignored_close"] == 0


@pytest.mark.parametrize("message", ["é" * 150_000, b"\xff" * 300_000, "short"], ids=["text", "binary", "short"])
def test_websocket_messages_of_any_size(tmp_path: Path, message: str | bytes) -> None:
    body = message if isinstance(message, bytes) else message.encode()
    (tmp_path / "message").write_bytes(body)
    with echo_server() as server:
        run = Run(server.url, tmp_path, "websocket", "--data", f"@{tmp_path}/message")
        seen = server.end()
    run.no_errors()
    assert sum(one["size"] for one in seen) == run.exchanges() * len(message)
    assert (run.columns["websocket"]["bytes_received"] > len(body)).all()


def test_answers_that_are_no_echo_are_counted(tmp_path: Path) -> None:
    with echo_server() as server:
        run = Run(f"{server.url}another", tmp_path, "websocket,persistent")
        seen = server.end()
    messages = sum(one["messages"] for one in seen)
    assert run.policies["websocket"]["not_echoed"] == messages > 0
    assert run.policies["persistent"]["not_echoed"] == 0
    warned = [one["message"] for one in run.summary["warnings"] if one["code"] == "not_echoed"]
    assert [one.split(" did not echo")[0] for one in warned] == [f"websocket: {messages:,} of {messages:,} answers"]


def test_websocket_cookies_pools_idling_and_arrivals(tmp_path: Path) -> None:
    with echo_server() as server:
        first = Run(server.url, tmp_path / "a", "websocket+pool:2,websocket-close,websocket+gap:20ms", users=4)
        second = Run(server.url, tmp_path / "b", "websocket,websocket+pool:2", "--rate", "200")
        seen = server.end()
    for run in (first, second):
        run.no_errors()
    assert len(seen) == first.opened() + second.opened()
    assert sum(one["messages"] for one in seen) == first.exchanges() + second.exchanges()
    assert first.opened("websocket+pool:2") <= 3
    assert (first.columns["websocket+pool:2"]["queue"] > 0).mean() > 0.4
    assert second.policies["websocket"]["requests"] == pytest.approx(40, abs=8)
    # A user that was given a cookie sends it with the next upgrade.
    assert Counter(one["cookie"] for one in seen)["seen=yes"] > first.opened("websocket-close") / 2


# HTTP/2 in clear


def test_hypercorn_counts_the_same(tmp_path: Path) -> None:
    policies = "h2-prior,h2-prior+streams:10,h2c-upgrade,h2c-upgrade+recycle:5,h2-prior+pool:2"
    with counting_server(tmp_path / "server", "hypercorn") as server:
        run = Run(server.url, tmp_path, policies)
        seen = server.account()
    run.no_errors()
    run.check_upgrades("h2c-upgrade", "h2c-upgrade+recycle:5")
    run.no_upgrades("h2-prior", "h2-prior+streams:10", "h2-prior+pool:2")
    assert sum(one["requests"] for one in seen) == run.exchanges()
    assert len(seen) == run.opened()
    assert max(one["most"] for one in seen) == 10
    assert Counter(one["most"] for one in seen)[10] >= 3
    assert {version for one in seen for version in one["versions"]} == {"2"}
    assert sum(one["requests"] == 5 for one in seen) >= run.opened("h2c-upgrade+recycle:5") - 3
    assert {cookie for one in seen for cookie in one["cookies"]} == {"", "seen=yes"}


def test_uploads(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(bytes(300_000))
    with counting_server(tmp_path / "server", "hypercorn") as server:
        run = Run(server.url, tmp_path, "h2-prior+streams:4,h2c-upgrade", "--data", f"@{tmp_path}/body")
        seen = server.account()
    run.no_errors()
    assert sum(one["size"] for one in seen) == 300_000 * run.exchanges()
    for columns in run.columns.values():
        assert (columns["bytes_sent"] > 300_000).all()


def test_uvicorn_declines_the_upgrade(tmp_path: Path) -> None:
    """The connection goes on in HTTP/1.1 and is used as its policy says."""
    with counting_server(tmp_path / "server", "uvicorn") as server:
        run = Run(server.url, tmp_path, "h2c-upgrade,h2c-upgrade+recycle:5,h2c-upgrade+streams:4,h2c-upgrade+recycle:1")
        seen = server.account()
    run.no_errors()
    run.no_upgrades(*run.policies)
    assert {version for one in seen for version in one["versions"]} == {"1.1"}
    assert (len(seen), sum(one["requests"] for one in seen)) == (run.opened(), run.exchanges())
    for one in run.policies.values():
        assert one["connections"]["upgrade_declined"] == one["connections"]["opened"]
    assert (run.columns["h2c-upgrade+streams:4"]["queue"] > 0).mean() > 0.5


def test_nghttpx_takes_the_upgrade(tmp_path: Path) -> None:
    with nghttpx(tmp_path / "server") as url:
        run = Run(url, tmp_path, "h2c-upgrade,h2c-upgrade+streams:5,h2-prior,persistent")
        lines = [line.split() for line in (tmp_path / "server" / "access.log").read_text().splitlines()]
    run.no_errors()
    run.check_upgrades("h2c-upgrade", "h2c-upgrade+streams:5")
    assert len(lines) == run.exchanges()
    assert len({port for port, _, _ in lines}) == run.opened()


def test_nghttpd_allows_few_streams(tmp_path: Path) -> None:
    """What is beyond the server's number waits in `queue`; nothing is refused."""
    with nghttpd(tmp_path / "server", "--max-concurrent-streams=3") as url:
        run = Run(url, tmp_path, "h2-prior,h2-prior+streams:10,h2-prior+streams:3", users=1)
    run.no_errors()
    waited = {name: (columns["queue"] > 0).mean() for name, columns in run.columns.items()}
    assert waited["h2-prior"] == 0
    assert waited["h2-prior+streams:10"] > 0.5
    assert waited["h2-prior+streams:3"] < 0.5


def test_arrivals_and_abandoning(tmp_path: Path) -> None:
    """A connection that is given up is announced by GOAWAY, unless its policy is not to announce anything."""
    sides: list[Http2Side] = []

    def script(connection: socket.socket, _number: int) -> None:
        sides.append(http2_script(connection, None))

    said: dict[str, Counter[int | None]] = {}
    with scripted_server(script) as port:
        url = f"http://127.0.0.1:{port}/"
        for number, policy in enumerate(
            ("h2-prior+recycle:5", "h2-prior+recycle:5+abandon", "h2-prior+lifetime:20ms", "h2-prior+gap:20ms")
        ):
            sides.clear()
            run = Run(url, tmp_path / f"{number}", policy)
            run.no_errors()
            said[policy] = Counter(side.goaway for side in sides)
            assert sum(said[policy].values()) == run.opened()
        Run(url, tmp_path / "rate", "h2-prior,h2-prior+pool:2", "--rate", "200").no_errors()
    assert {name: set(codes) for name, codes in said.items()} == {
        name: {None} if "abandon" in name else {0} for name in said
    }


# HTTP/2 over TLS


def test_nghttpd_by_alpn(tmp_path: Path) -> None:
    with nghttpd(tmp_path / "server", tls=True) as url:
        trust = ("--cacert", str(tmp_path / "server" / "ca.pem"))
        run = Run(url, tmp_path, "h2,h2+streams:10,h2+recycle:1,h2+resume", *trust)
    run.no_errors()
    run.no_upgrades(*run.policies)
    for one in run.policies.values():
        assert one["connections"]["upgraded"] == one["connections"]["opened"]
    assert run.policies["h2+resume"]["connections"]["tls_resumed"] > 0
    first = run.columns["h2+recycle:1"]
    assert (first["tls"] > 0).all()
    assert (first["bytes_received"] > 5).all()


def test_nginx_counts_the_same(tmp_path: Path) -> None:
    """Also where it ends each connection after ten requests by GOAWAY, and where it knows HTTP/1.1 alone."""
    policies = "h2,h2+streams:8,h2+recycle:5,h2+pool:2"
    with nginx2(tmp_path / "server") as server:
        trust = ("--cacert", server.ca_file)
        run = Run(server.h2, tmp_path / "a", policies, *trust)
        log = server.log()
        limited = Run(server.limited, tmp_path / "b", "h2,h2+recycle:5", *trust)
        limited_log = server.log()[len(log) :]
        declined = Run(server.plain, tmp_path / "c", "h2,h2+recycle:5,h2+streams:4,persistent", *trust)
        declined_log = server.log()[len(log) + len(limited_log) :]
    for one, lines, protocol in (
        (run, log, "HTTP/2.0"),
        (limited, limited_log, "HTTP/2.0"),
        (declined, declined_log, "HTTP/1.1"),
    ):
        one.no_errors()
        one.no_upgrades(*one.policies)
        assert {line[2] for line in lines} == {protocol}
        assert len({line[0] for line in lines}) == one.opened()
        assert len(lines) == one.exchanges()
    assert (run.columns["h2+streams:8"]["queue"] > 0).mean() > 0.3  # it takes four at a time
    assert {line[4] for line in log} == {"-", "seen=yes"}
    most = Counter(line[0] for line in limited_log)
    assert max(most.values()) == 10
    endings = limited.policies["h2"]["connections"]["endings"]
    assert endings["server_announced"] > endings.get("client_announced", 0)
    for name in ("h2", "h2+recycle:5", "h2+streams:4"):
        connections = declined.policies[name]["connections"]
        assert connections["upgrade_declined"] == connections["opened"]
    assert declined.policies["persistent"]["connections"]["upgrade_declined"] == 0


def test_nginx_takes_uploads(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(bytes(300_000))
    with nginx2(tmp_path / "server") as server:
        more = ("--cacert", server.ca_file, "--data", f"@{tmp_path}/body")
        run = Run(f"{server.h2}upload", tmp_path, "h2,h2+streams:4,persistent", *more)
        log = server.log()
    run.no_errors()
    assert len(log) == run.exchanges()
    assert all(int(line[3]) > 300_000 for line in log)


def test_goaway_under_many_streams(tmp_path: Path) -> None:
    """Only streams that the server did not take fail, and only for that; each connection serves its ten.

    They are sent once more where that is asked for, and the server has seen each one once.
    """
    with nginx2(tmp_path / "server") as server:
        trust = ("--cacert", server.ca_file)
        run = Run(server.limited, tmp_path / "once", "h2+streams:4", *trust)
        log = server.log()
        again = Run(server.limited, tmp_path / "again", "h2,h2+streams:4", *trust, "--retry-stale", "--data", "x")
        more = server.log()[len(log) :]
    one, two = run.policies["h2+streams:4"], again.policies["h2+streams:4"]
    assert again.policies["h2"]["errors"] == {}
    for each in (one, two):
        assert set(each["errors"]) == {"http2_goaway"}
    assert (one["connections"]["retried"], two["connections"]["retried"] >= two["errors"]["http2_goaway"]) == (0, True)
    for each_run, lines in ((run, log), (again, more)):
        assert set(Counter(line[0] for line in lines).values()) <= {10, *range(1, 10)}
        assert len({line[0] for line in lines}) == each_run.opened()
        assert sum(one["connections"]["exchanges_with_warmup"] for one in each_run.policies.values()) == len(lines)


def test_downloads_of_megabytes(tmp_path: Path) -> None:
    """Wider than a stream's window, several at a time."""
    with nghttpd(tmp_path / "server") as url:
        (tmp_path / "server" / "big").write_bytes(bytes(3_000_000))
        run = Run(f"{url}big", tmp_path, "h2-prior,h2-prior+streams:4", users=2)
    run.no_errors()
    for columns in run.columns.values():
        assert ((columns["bytes_received"] > 3_000_000) & (columns["bytes_received"] < 3_100_000)).all()
