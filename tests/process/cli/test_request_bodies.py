"""Request bodies against nginx and the embedded target: what they log and store is what was sent and counted."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.logging_nginx import nginx
from tests.support.processes import compare, free_port, loadgen

# A site in front, which asks for bodies and refuses long ones at once, and one behind it, which gets them whole.
_SITE = """
log_format behind '$request_method $request_uri $content_length $http_transfer_encoding';
server {{
  listen 127.0.0.1:{port}; client_max_body_size {limit}; client_body_buffer_size 2m;
  location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; }}
}}
"""
_BEHIND = """
server {{
  listen 127.0.0.1:{behind}; access_log {folder}/behind.log behind; client_max_body_size 0; location / {{ return 200; }}
}}
"""
_LOG = "$connection $status $request_length $http_expect $http_transfer_encoding $request_uri"


def site(folder: Path, *, limit: int = 0, behind: int = 0) -> tuple[str, int, int]:
    """The configuration and both ports. behind: the port of a server that there is already."""
    ports = {"port": free_port(), "behind": behind or free_port()}
    template = _SITE if behind else _SITE + _BEHIND
    return template.format(limit=limit, folder=folder, **ports), ports["port"], ports["behind"]


def lines(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "access.log").read_text().splitlines()]


@pytest.mark.parametrize("more", [(), ("--chunked", "--chunk-size", "7")])
def test_nginx_gets_what_was_sent_once_it_has_said_100(tmp_path: Path, more: tuple[str, ...]) -> None:
    config, *ports = site(tmp_path)
    with nginx(tmp_path, config, _LOG, *ports):
        summary = compare(
            f"http://127.0.0.1:{ports[0]}/{{n}}", tmp_path / "run", "--policies", "persistent,close,pool:1",
            "--expect-continue", "--template", "--data", "body {n} of {user}", "--users", "3", *more, "--export", "csv",
        )  # fmt: skip
    log, counts = lines(tmp_path), Counter[str]()
    assert {line[3] for line in log} == {"100-continue"}
    assert len({line[5] for line in log}) == len(log)  # each was filled anew
    for one in summary["policies"].values():
        assert (one["errors"], one["statuses"]) == ({}, {"200": one["requests"]})
        counts.update({name: one["continues"][name] for name in ("asked", "received", "timed_out", "refused")})
        assert 0 < one["continues"]["wait_ns"]["mean"] < one["phases_ns"]["send"]["mean"]
    assert counts == {"asked": len(log), "received": len(log), "timed_out": 0, "refused": 0}
    behind = [line.split() for line in (tmp_path / "behind.log").read_text().splitlines()]
    assert Counter(line[1] for line in behind) == Counter(line[5] for line in log)
    with (tmp_path / "run" / "samples.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {int(row["bytes_sent"]) for row in rows} <= {int(line[2]) for line in log}
    assert all(0 < int(row["continue_wait_ns"]) <= int(row["send_ns"]) for row in rows)


def test_a_413_in_place_of_100_ends_the_request_and_the_connection(tmp_path: Path) -> None:
    config, *ports = site(tmp_path, limit=10)
    with nginx(tmp_path, config, _LOG, *ports):
        summary = compare(
            f"http://127.0.0.1:{ports[0]}/", tmp_path / "run", "--expect-continue", "--data", "x" * 11, "--users", "2"
        )
    log = lines(tmp_path)
    assert {line[1] for line in log} == {"413"}
    assert len({line[0] for line in log}) == len(log)
    assert sum(one["continues"]["refused"] for one in summary["policies"].values()) == len(log)
    assert all(one["statuses"] == {"413": one["requests"]} for one in summary["policies"].values())
    assert sum(one["connections"]["opened"] for one in summary["policies"].values()) == len(log)


class Digests(ThreadingHTTPServer):
    """A server that keeps the digest of each body it gets."""

    def __init__(self) -> None:
        self.found: list[str] = []
        super().__init__(("127.0.0.1", 0), _Taker)


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # http.server calls it so
        assert isinstance(self.server, Digests)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.found.append(hashlib.sha256(body).hexdigest())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # as http.server has it
        pass


@pytest.mark.parametrize("more", [(), ("--chunked", "--expect-continue")])
def test_a_long_file_arrives_as_it_is(tmp_path: Path, more: tuple[str, ...]) -> None:
    content = os.urandom((1 << 20) + 4321)
    (tmp_path / "body").write_bytes(content)
    with Digests() as behind:
        thread = threading.Thread(target=behind.serve_forever)
        thread.start()
        # nginx takes chunks apart.
        config, port, _ = site(tmp_path, behind=behind.server_address[1])
        try:
            with nginx(tmp_path, config, _LOG, port):
                summary = compare(
                    f"http://127.0.0.1:{port}/", tmp_path / "run", "--data", f"@{tmp_path}/body", *more, "--users", "2",
                    "--rounds", "1",
                )  # fmt: skip
        finally:
            behind.shutdown()
            thread.join()
    assert len(behind.found) == len(lines(tmp_path)) > 1
    assert set(behind.found) == {hashlib.sha256(content).hexdigest()}
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert summary["plan"]["body_file"] == {"file": str(tmp_path / "body"), "size_bytes": len(content)}


def test_compressed_responses_count_as_they_are_sent(tmp_path: Path) -> None:
    port = free_port()
    config = f"""gzip on; gzip_types *; default_type text/plain;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{"text " * 700}"; }} }}"""
    with nginx(tmp_path, config, "$bytes_sent $body_bytes_sent $sent_http_content_encoding", port):
        summary = compare(
            f"http://127.0.0.1:{port}/", tmp_path / "run", "--header", "Accept-Encoding: gzip", "--users", "2",
            "--export", "csv",
        )  # fmt: skip
    log = lines(tmp_path)
    assert {line[2] for line in log} == {"gzip"}
    assert max(int(line[1]) for line in log) < 700
    with (tmp_path / "run" / "samples.csv").open(newline="", encoding="utf-8") as file:
        received = Counter(int(row["bytes_received"]) for row in csv.DictReader(file))
    assert received.keys() <= {int(line[0]) for line in log}
    assert all(one["errors"] == {} for one in summary["policies"].values())


@pytest.mark.parametrize(("users", "mib", "more"), [(50, 100, ()), (4, 20, ("--tls", "--policies", "persistent,h2"))])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, users: int, mib: int, more: tuple[str, ...]) -> None:
    """With as much in flight as users times the file's length."""
    (tmp_path / "body").touch()
    os.truncate(tmp_path / "body", mib << 20)
    done = loadgen(
        "compare", "--out", f"{tmp_path}/run", "--json", "--no-charts", "--data", f"@{tmp_path}/body", "--users",
        f"{users}", "--rounds", "1", "--block", "300ms", "--warmup", "0s", "--timeout", "60s",
        *(more or ("--policies", "persistent")),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for one in json.loads(done.stdout)["policies"].values():
        assert (one["errors"], one["statuses"]) == ({}, {"200": one["requests"]})
        assert one["requests"] >= users
        assert one["generator"]["rss_bytes"] < 120 << 20
