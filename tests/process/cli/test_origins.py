"""Requests of several origins (--urls): nginx's log of each says what the run counts of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.logging_nginx import nginx, take_lines
from tests.support.processes import compare, free_port, write_certificates
from tests.support.proxies import asks, fake_proxy, proxy_url
from tests.support.runner import run_cli

_LOG_FORMAT = "$server_port|$connection|$request_uri|$http_host|$cookie_shop|$ssl_session_reused"
_SITE = """lingering_close off; ssl_session_cache shared:s:1m; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
  server {{ listen 127.0.0.1:{clear}{mode}; add_header Set-Cookie "shop=1"; location / {{ return 200 hello; }} }}
  server {{ listen 127.0.0.1:{secure} ssl{mode}; location / {{ return 200 secret; }} }}"""


class Counted(NamedTuple):
    """What a run, or a log, has of one origin, warm-up included."""

    requests: int
    connections: int
    resumed: int


def logged(log: Path) -> tuple[dict[str, Counted], list[list[str]]]:
    """By the server's port, and all lines."""
    lines = [line.split("|") for line in take_lines(log)]
    found = {}
    for port in {line[0] for line in lines}:
        of_port = [line for line in lines if line[0] == port]
        resumed = {line[1] for line in of_port if line[5] == "r"}
        found[port] = Counted(len(of_port), len({line[1] for line in of_port}), len(resumed))
    return found, lines


def counted(summary: Any, place: int) -> Counted:
    each = [one["by_origin"][place] for one in summary["policies"].values()]
    return Counted(
        sum(one["answered_with_warmup"] for one in each),
        sum(one["connections"]["opened"] for one in each),
        sum(one["connections"]["tls_resumed"] for one in each),
    )


@pytest.mark.parametrize(
    ("policies", "more"),
    [
        ("persistent,close,recycle:3,pool:2,resume,gap:20ms", ("--users", "3")),
        ("persistent,close", ("--users", "4", "--processes", "2", "--requests", "301", "--max-samples", "200")),
        ("pool:2,close", ("--rate", "300")),
        ("h2,h2+pool:2+streams:3", ("--users", "4")),
    ],
)
def test_each_origin_has_the_connections_and_requests_of_its_log(
    tmp_path: Path, policies: str, more: tuple[str, ...]
) -> None:
    clear, secure = free_port(), free_port()
    write_certificates(tmp_path, "127.0.0.1")
    requests = (
        {"url": "/a", "weight": 2, "name": "/a"},
        {"url": f"https://127.0.0.1:{secure}/b", "name": "/b"},
        {"url": f"http://127.0.0.1:{clear}/c", "name": "/c"},
    )
    (tmp_path / "urls.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in requests))
    site = _SITE.format(folder=tmp_path, clear=clear, secure=secure, mode=" http2" if "h2" in policies else "")
    with nginx(tmp_path, site, _LOG_FORMAT, clear, secure):
        summary = compare(
            f"http://127.0.0.1:{clear}", tmp_path / "run", "--urls", f"{tmp_path}/urls.jsonl", "--policies", policies,
            "--cacert", f"{tmp_path}/ca.pem", *more,
        )  # fmt: skip
        found, lines = logged(tmp_path / "access.log")
    assert found == {str(port): counted(summary, place) for place, port in enumerate((clear, secure))}
    by_name: Counter[str] = Counter()
    for name, one in summary["policies"].items():
        assert one["errors"] == {}
        by_origin = one["by_origin"]
        assert [origin["origin"] for origin in by_origin] == [
            f"http://127.0.0.1:{clear}",
            f"https://127.0.0.1:{secure}",
        ]
        assert sum(origin["requests"] for origin in by_origin) == one["requests"]
        assert sum(origin["connections"]["opened"] for origin in by_origin) == one["connections"]["opened"]
        assert by_origin[0]["handshake_ns"]["tls"] is None
        if name in ("persistent", "pool:2", "h2"):  # each opened what it may have open at a time, and no more
            assert one["connections"]["opened"] == one["connections"]["ideal"]
        by_name.update({request["name"]: request["answered_with_warmup"] for request in one["by_name"]})
    assert by_name == Counter(line[2] for line in lines)
    assert {(line[0], line[3]) for line in lines} == {(f"{port}", f"127.0.0.1:{port}") for port in (clear, secure)}
    # Ports of a host share their cookies (RFC 6265 §8.5), and arrivals are no one's.
    assert ("1" in {line[4] for line in lines if line[0] == f"{secure}"}) is ("--rate" not in more)
    if "resume" in policies:
        assert counted(summary, 1).resumed > 0


def test_hosts_go_where_they_are_led_and_one_that_refuses_is_named(tmp_path: Path) -> None:
    port, refusing = free_port(), free_port()
    urls = (f"http://shop.test:{port}/a", f"http+unix://{str(tmp_path / 's').replace('/', '%2F')}/b")
    requests = [{"url": url, "weight": 4} for url in urls] + [{"url": f"http://127.0.0.1:{refusing}/c"}]
    (tmp_path / "urls").write_text("".join(f"{json.dumps(one)}\n" for one in requests))
    site = f"server {{ listen 127.0.0.1:{port}; listen unix:{tmp_path}/s; location / {{ return 200 hello; }} }}"
    with nginx(tmp_path, site, "$http_host|$connection", port):
        done = run_cli(
            "compare", "--urls", "urls", "--policies", "persistent", "--users", "2", "--rounds", "1", "--json",
            "--block", "400ms", "--warmup", "100ms", "--out", "run", "--no-charts", "--yes",
            "--resolve", f"shop.test:{port}:127.0.0.1", cwd=tmp_path,
        )  # fmt: skip
    assert done.code == 0, done.stderr
    summary = json.loads(done.stdout)
    one = summary["policies"]["persistent"]
    assert one["errors"].keys() == {"connect_refused"}
    assert [origin["connections"]["opened"] for origin in one["by_origin"]] == [2, 2, 0]
    assert one["by_origin"][2]["failed"] == one["errors"]["connect_refused"]
    lines = Counter(line.split("|")[0] for line in (tmp_path / "access.log").read_text().splitlines())
    assert lines == {
        host: origin["answered_with_warmup"]
        for host, origin in zip((f"shop.test:{port}", "localhost"), one["by_origin"], strict=False)
    }
    (warning,) = [note for note in summary["warnings"] if note["code"] == "target_failed"]
    assert warning["message"].startswith(f"http://127.0.0.1:{refusing}/: connect refused: ")
    assert summary["environment"]["origins"].keys() == {urls[1].removesuffix("/b")}
    assert "by origin" in run_cli("report", "run", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("url", "more", "complaint"),
    [
        ("http://127.0.0.1:9", (), "no line of --urls is for the target, http://127.0.0.1:9; leave its URL out"),
        (None, ("--policies", "pipeline:2"), "the policy pipeline:2 has several requests of a user in flight"),
        (None, ("--policies", "h2-prior"), "is HTTP/2 in clear, and the target speaks TLS"),
        (None, ("--backend-header", "X-Backend"), "--backend-header is for one origin, and --urls has several"),
    ],
)
def test_what_several_origins_can_not_have_is_one_line(
    tmp_path: Path, url: str | None, more: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "urls").write_text('{"url": "http://127.0.0.1:8/a"}\n{"url": "https://127.0.0.1:7/b"}\n')
    done = run_cli("compare", *((url,) if url else ()), "--urls", "urls", *more, cwd=tmp_path)
    assert done.code == 2
    (line,) = done.stderr.strip().splitlines()
    assert complaint in line


def test_each_origin_is_reached_by_the_proxy_in_its_own_way(tmp_path: Path) -> None:
    """A forwarded request, a tunnel, and a host for which the proxy is not used; with a challenge of the proxy's."""
    clear, secure = free_port(), free_port()
    write_certificates(tmp_path, "127.0.0.1")
    urls = (f"http://127.0.0.1:{clear}/a", f"https://127.0.0.1:{secure}/b", f"http://localhost:{clear}/c")
    (tmp_path / "urls").write_text("".join(f'{{"url": "{url}"}}\n' for url in urls))
    site = _SITE.format(folder=tmp_path, clear=clear, secure=secure, mode="")
    with nginx(tmp_path, site, "$http_host|$connection", clear, secure), fake_proxy(asks) as (proxy, port):
        done = run_cli(
            "compare", "--urls", "urls", "--policies", "persistent", "--users", "2", "--rounds", "1", "--json",
            "--block", "400ms", "--warmup", "100ms", "--out", "run", "--no-charts", "--cacert", "ca.pem",
            "--proxy", proxy_url(port), "--no-proxy", "localhost", "--yes", cwd=tmp_path,
        )  # fmt: skip
    assert done.code == 0, done.stderr
    one = json.loads(done.stdout)["policies"]["persistent"]
    assert one["errors"] == {}
    log = Counter(line.split("|")[0] for line in (tmp_path / "access.log").read_text().splitlines())
    forwarded, tunnelled, direct = one["by_origin"]
    assert [origin["answered_with_warmup"] for origin in (tunnelled, direct)] == [
        log[f"127.0.0.1:{secure}"], log[f"localhost:{clear}"],
    ]  # fmt: skip
    assert log[f"127.0.0.1:{clear}"] >= forwarded["requests"] > 10
    assert [origin["connections"]["opened"] for origin in (forwarded, tunnelled, direct)] == [2, 2, 2]
    firsts = {tuple(head.split(b" ", 2)[:2]) for head in proxy.heads}
    assert (b"CONNECT", f"127.0.0.1:{secure}".encode()) in firsts
    assert (b"GET", urls[0].encode()) in firsts
    assert not any(b"localhost" in uri for _, uri in firsts)
