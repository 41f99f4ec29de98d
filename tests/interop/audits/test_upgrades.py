"""The probes of HTTP/2, WebSocket and connection options against servers of others, on several values of each setting.

All servers run, and are audited, at the same time: what a test looks at is one server's record.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.model.audit import AuditRecord
from loadgen.model.units import NS_PER_MS, NS_PER_S
from tests.support.audits import audit
from tests.support.processes import free_port, server_process, write_certificates
from tests.support.upgrade_servers import echo_server

pytestmark = [pytest.mark.peer, pytest.mark.alone]  # they measure time

IDLE_MAX_NS = 3_500 * NS_PER_MS
GROUPS = ("http2", "websocket", "options")
NGINX = {"nginx-1": (1, 60, 16), "nginx-2": (2, 300, 128), "nginx-tls": (3, 1_000, 200)}
"""keepalive_timeout (s), keepalive_requests, http2_max_concurrent_streams."""
SILENT_S = {"ws-1": 1, "ws-2": 2}
"""proxy_read_timeout before a WebSocket server."""
HYPERCORN_S = {"hypercorn-1": 1, "hypercorn-2": 2}
NODE = {"node-1": (1, 30), "node-2": (2, 90)}
"""Timeout of a session (s), maxConcurrentStreams."""
_APP = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})
"""
_NODE = """
const server = require('http2').createServer({settings: {maxConcurrentStreams: STREAMS}}, (_, to) => to.end('hello'));
server.setTimeout(SECONDS * 1000);
server.listen(PORT, '127.0.0.1');
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AuditRecord]]:
    """By server; one that is not installed is not there."""
    folder = tmp_path_factory.mktemp("upgrades")
    with ExitStack() as stack:
        urls = nginx(folder, stack) | hypercorn(folder, stack) | node(folder, stack)
        plan = {"cacert": str(folder / "ca.pem"), "idle_max_ns": IDLE_MAX_NS}
        at_work = {
            name: gevent.spawn(audit, url, *GROUPS, **plan if url.startswith("https") else {"idle_max_ns": IDLE_MAX_NS})
            for name, url in urls.items()
        }
        yield {name: greenlet.get() for name, greenlet in at_work.items()}


def nginx(folder: Path, stack: ExitStack) -> dict[str, str]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        return {}
    write_certificates(folder)
    behind = stack.enter_context(echo_server()).url
    ports = {name: free_port() for name in (*NGINX, *SILENT_S)}
    servers = [
        f"server {{ listen 127.0.0.1:{ports[name]} http2{' ssl' * (name == 'nginx-tls')}; keepalive_timeout {idle_s}s;"
        f" keepalive_requests {requests}; http2_max_concurrent_streams {streams}; return 200 hello; }}"
        for name, (idle_s, requests, streams) in NGINX.items()
    ]
    servers += [
        f"server {{ listen 127.0.0.1:{ports[name]}; location / {{ proxy_pass {behind}; proxy_http_version 1.1;"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        f" proxy_read_timeout {silent_s}s; }} }}"
        for name, silent_s in SILENT_S.items()
    ]
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors; events {{ }}\n"
        f"http {{ access_log off; {temporary} client_body_temp_path {folder}/body;\n"
        f"ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;\n" + "\n".join(servers) + "\n}\n",
        encoding="utf-8",
    )
    stack.enter_context(server_process([program, "-c", str(folder / "nginx.conf")], folder, ports["nginx-1"]))
    return {name: f"http{'s' * (name == 'nginx-tls')}://127.0.0.1:{port}/" for name, port in ports.items()}


def hypercorn(folder: Path, stack: ExitStack) -> dict[str, str]:
    if importlib.util.find_spec("hypercorn") is None:
        return {}
    (folder / "plain.py").write_text(_APP, encoding="utf-8")
    urls = {}
    for name, idle_s in HYPERCORN_S.items():
        port = free_port()
        options = ["-b", f"127.0.0.1:{port}", "--keep-alive", f"{idle_s}", "--graceful-timeout", "0"]
        stack.enter_context(server_process([sys.executable, "-m", "hypercorn", "plain:app", *options], folder, port))
        urls[name] = f"http://127.0.0.1:{port}/"
    return urls


def node(folder: Path, stack: ExitStack) -> dict[str, str]:
    program = shutil.which("node")
    if program is None:
        return {}
    urls = {}
    for name, (idle_s, streams) in NODE.items():
        port = free_port()
        script = _NODE.replace("STREAMS", f"{streams}").replace("SECONDS", f"{idle_s}").replace("PORT", f"{port}")
        stack.enter_context(server_process([program, "-e", script], folder, port))
        urls[name] = f"http://127.0.0.1:{port}/"
    return urls


def values_of(records: dict[str, AuditRecord], name: str) -> dict[str, dict[str, Any]]:
    """What the probes found out about a server, by the probe's name."""
    if name not in records:
        pytest.skip(f"{name} is not installed")
    return {probe: dict(found["values"]) for probe, found in records[name]["findings"].items()}


def verdicts(record: AuditRecord, *groups: str) -> dict[str, str]:
    return {name: one["verdict"] for name, one in record["findings"].items() if name.startswith(groups)}


def assert_near(measured_ns: int, configured_s: float) -> None:
    configured_ns = configured_s * NS_PER_S
    assert abs(measured_ns - configured_ns) <= max(0.02 * configured_ns, 100 * NS_PER_MS)


@pytest.mark.parametrize("name", NGINX)
def test_nginx(records: dict[str, AuditRecord], name: str) -> None:
    values = values_of(records, name)
    idle_s, requests, streams = NGINX[name]
    assert values["http2_settings"]["way"] == ("alpn" if name == "nginx-tls" else "prior")
    assert values["http2_settings"]["max_concurrent_streams"] == streams
    assert values["http2_streams"]["accepted"] == min(streams, 128)
    assert values["http2_streams"].get("beyond") == ("refused" if streams <= 128 else None)
    assert_near(values["http2_idle_timeout"]["timeout_ns"], idle_s)
    assert values["http2_max_requests"].items() >= {"answered": requests, "lost": 0, "goaway": True}.items()
    assert set(verdicts(records[name], "http2").values()) <= {"ok", "note"}


@pytest.mark.parametrize("name", HYPERCORN_S)
def test_hypercorn(records: dict[str, AuditRecord], name: str) -> None:
    values = values_of(records, name)
    assert values["http2_settings"].items() >= {"way": "prior", "max_concurrent_streams": 100}.items()
    assert values["http2_streams"].items() >= {"accepted": 100, "beyond": "connection"}.items()
    assert_near(values["http2_idle_timeout"]["timeout_ns"], HYPERCORN_S[name])
    assert values["http2_max_requests"]["answered"] <= 1_001  # its keep_alive_max_requests is 1,000
    assert verdicts(records[name], "te_", "unknown_", "proxy_") == {
        "te_trailers": "ok", "unknown_options": "ok", "proxy_connection": "ok",
    }  # fmt: skip


@pytest.mark.parametrize("name", NODE)
def test_node(records: dict[str, AuditRecord], name: str) -> None:
    values = values_of(records, name)
    idle_s, streams = NODE[name]
    assert values["http2_settings"].items() >= {"way": "prior", "max_concurrent_streams": streams}.items()
    assert values["http2_streams"]["accepted"] == streams
    assert_near(values["http2_idle_timeout"]["timeout_ns"], idle_s)
    assert values["http2_max_requests"]["more_than"] == 1_050
    assert set(verdicts(records[name], "http2").values()) <= {"ok", "note"}


@pytest.mark.parametrize("name", SILENT_S)
def test_websocket_behind_nginx(records: dict[str, AuditRecord], name: str) -> None:
    values = values_of(records, name)
    assert values["websocket_ping"]["answered"] == 6
    assert values["websocket_close"].items() >= {"answered": True, "code": 1000}.items()
    assert_near(values["websocket_idle_timeout"]["timeout_ns"], SILENT_S[name])
    assert values["websocket_idle_timeout"].items() >= {"ended": 6, "closes": 0}.items()
    assert values["websocket_kept_by_pings"]["kept"] is True
    assert set(verdicts(records[name], "websocket").values()) <= {"ok", "note"}
