"""Limits of a connection on real servers come out as they are configured, and none is accused of a violation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import gevent
import pytest

from loadgen.model.audit import AuditRecord
from loadgen.model.units import NS_PER_MS, NS_PER_S
from tests.support.audits import audit
from tests.support.processes import free_port, nginx_program, server_process
from tests.support.servers import PEERS

pytestmark = pytest.mark.peer

IDLE_MAX_NS = 5 * NS_PER_S // 2
"""How long connections in use are watched."""
ASKED_NS = 15 * NS_PER_S
"""How long a thousand requests may take, where all servers and other tests share the machine."""
NGINX = {
    "nginx": "",
    "nginx requests=1": "keepalive_requests 1;",
    "nginx requests=7": "keepalive_requests 7;",
    "nginx requests=300": "keepalive_requests 300;",
    "nginx time=1s": "keepalive_time 1s;",
    "nginx time=1500ms": "keepalive_time 1500ms;",
}
"""What each server block says of its connections."""
NODE = {"node": 0, "node requests=1": 1, "node requests=30": 30}
"""What each server's maxRequestsPerSocket is."""
OTHERS = ("uvicorn", "hypercorn", "gunicorn", "gunicorn-sync")
CLOSED_AFTER = {
    "nginx": 1_000, "nginx requests=1": 1, "nginx requests=7": 7, "nginx requests=300": 300,
    "node requests=1": 1, "node requests=30": 30, "gunicorn-sync": 1, "hypercorn": 1_000,
}  # fmt: skip
"""Each says so with its last response."""
UNLIMITED = ("node", "uvicorn", "gunicorn")
LIFETIMES_NS = {"nginx time=1s": NS_PER_S, "nginx time=1500ms": 1_500 * NS_PER_MS}
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; root {folder}/files;
  {servers}
}}
"""
_NODE_SCRIPT = """
for (const [port, most] of PORTS) {
  const server = require('http').createServer((request, response) => response.end('hello'));
  server.maxRequestsPerSocket = most;
  server.listen(port, '127.0.0.1', 511);
}
"""


@contextmanager
def nginx(folder: Path) -> Iterator[dict[str, str]]:
    program = nginx_program()
    (folder / "files").mkdir()
    (folder / "files" / "index.html").write_text("hello", encoding="utf-8")
    ports = {name: free_port() for name in NGINX}
    servers = "\n".join(f"server {{ listen 127.0.0.1:{ports[name]}; {text} }}" for name, text in NGINX.items())
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, servers=servers), encoding="utf-8")
    with server_process([program, "-c", f"{configuration}"], folder, *ports.values()):
        yield {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}


@contextmanager
def node(folder: Path) -> Iterator[dict[str, str]]:
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed (Debian: nodejs)")
    ports = {name: free_port() for name in NODE}
    pairs = [[ports[name], most] for name, most in NODE.items()]
    with server_process([program, "-e", _NODE_SCRIPT.replace("PORTS", f"{pairs}")], folder, *ports.values()):
        yield {name: f"http://127.0.0.1:{port}/" for name, port in ports.items()}


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AuditRecord]:
    """Of all these servers, all at the same time."""
    folder = tmp_path_factory.mktemp("servers")
    folder.chmod(0o755)
    with ExitStack() as stack:
        servers = stack.enter_context(nginx(folder)) | stack.enter_context(node(folder))
        servers |= {name: stack.enter_context(PEERS[name](folder / name)).url for name in OTHERS}
        watched = {
            name: gevent.spawn(audit, url, "max_lifetime", idle_max_ns=IDLE_MAX_NS) for name, url in servers.items()
        }
        asked = {
            name: gevent.spawn(audit, url, "max_requests", "messages", idle_max_ns=ASKED_NS)
            for name, url in servers.items()
        }
        records = {name: one.get() for name, one in asked.items()}
        for name, one in watched.items():
            records[name]["findings"] |= one.get()["findings"]
        return records


@pytest.mark.parametrize("server", CLOSED_AFTER)
def test_a_limit_of_requests_comes_out(audits: dict[str, AuditRecord], server: str) -> None:
    found = audits[server]["findings"]["max_requests"]
    count = CLOSED_AFTER[server]
    wanted = {"min_closed_after": count, "max_closed_after": count, "announced": True, "lost": 0}
    assert found["verdict"] == "note"
    assert found["values"].items() >= wanted.items()


@pytest.mark.parametrize("server", UNLIMITED)
def test_a_server_without_a_limit_has_none(audits: dict[str, AuditRecord], server: str) -> None:
    assert audits[server]["findings"]["max_requests"]["values"] == {"more_than": 1_050}


@pytest.mark.parametrize("server", LIFETIMES_NS)
def test_a_lifetime_comes_out(audits: dict[str, AuditRecord], server: str) -> None:
    found = audits[server]["findings"]["max_lifetime"]
    low_ns, high_ns = (found["values"][key] for key in ("min_lifetime_ns", "max_lifetime_ns"))
    assert isinstance(low_ns, int)
    assert isinstance(high_ns, int)
    assert (found["verdict"], found["values"]["announced"]) == ("note", True)
    # nginx reads its clock once a turn of its loop, and the connection opens a little before it is accepted.
    assert low_ns - 50 * NS_PER_MS <= LIFETIMES_NS[server] <= high_ns + 50 * NS_PER_MS
    assert high_ns - low_ns <= 300 * NS_PER_MS


def test_other_ends_are_no_lifetime(audits: dict[str, AuditRecord]) -> None:
    for server in set(audits) - set(LIFETIMES_NS):
        assert "lifetime_ns" not in audits[server]["findings"]["max_lifetime"]["values"], server


def test_no_server_breaks_a_rule(audits: dict[str, AuditRecord]) -> None:
    broken = {
        (server, name): found["measured"]
        for server, record in audits.items()
        for name, found in record["findings"].items()
        if found["verdict"] == "violation"
    }
    assert broken == {}


def test_what_each_server_does_with_messages(audits: dict[str, AuditRecord]) -> None:
    """nginx, Node and uvicorn lose nothing; hypercorn closes behind an unread body."""
    warned = {
        (server, name)
        for server in ("nginx", "node", "uvicorn", "gunicorn", "hypercorn")
        for name, found in audits[server]["findings"].items()
        if found["verdict"] == "warning"
    }
    assert warned == {("hypercorn", "expect_continue")}
    assert all(
        audits[server]["findings"]["pipelining"]["values"]["in_order"] for server in ("nginx", "node", "uvicorn")
    )
    assert audits["nginx"]["findings"]["no_content"]["values"]["step_304"] == "in step"
    assert audits["nginx"]["findings"]["oversized_body"]["values"]["status"] == 413
