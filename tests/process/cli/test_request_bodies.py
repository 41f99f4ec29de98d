"""Request bodies against nginx and the embedded target: what they log and store is what was sent and counted."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.support.logging_nginx import nginx
from tests.support.processes import compare, free_port, loadgen

# A site in front, which asks for bodies and refuses long ones at once, and one behind it, which gets them whole.
_SITE = """
log_format behind '$request_method $request_uri $content_length $http_transfer_encoding';
server {{
  listen 127.0.0.1:{port}; client_max_body_size {limit}; client_body_buffer_size 16k; client_body_in_file_only {stores};
  location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_request_buffering {buffers}; proxy_http_version 1.1; }}
}}
server {{
  listen 127.0.0.1:{behind}; access_log {folder}/behind.log behind; client_max_body_size 0; location / {{ return 200; }}
}}
"""
_LOG = "$connection $status $request_length $http_expect $http_transfer_encoding $request_uri"


def site(folder: Path, *, limit: int = 0, stores: str = "off", buffers: str = "on") -> tuple[str, int, int]:
    port, behind = free_port(), free_port()
    return (
        _SITE.format(port=port, behind=behind, limit=limit, stores=stores, buffers=buffers, folder=folder), port, behind
    )  # fmt: skip


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


@pytest.mark.parametrize("more", [(), ("--chunked",), ("--chunked", "--expect-continue")])
def test_a_long_file_arrives_as_it_is(tmp_path: Path, more: tuple[str, ...]) -> None:
    content = os.urandom((1 << 20) + 4321)
    (tmp_path / "body").write_bytes(content)
    config, *ports = site(tmp_path, stores="on")
    with nginx(tmp_path, config, _LOG, *ports):
        summary = compare(
            f"http://127.0.0.1:{ports[0]}/", tmp_path / "run", "--data", f"@{tmp_path}/body", *more, "--users", "2",
            "--rounds", "1", "--block", "300ms",
        )  # fmt: skip
    stored = [path for path in (tmp_path / "t1").rglob("*") if path.is_file()]
    assert len(stored) == len(lines(tmp_path)) > 1
    assert all(path.read_bytes() == content for path in stored)
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert summary["plan"]["body_file"] == {"file": str(tmp_path / "body"), "size_bytes": len(content)}


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
