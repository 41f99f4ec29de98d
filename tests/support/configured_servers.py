"""Real servers with the settings that an audit has to find out, several values of each, all running side by side.

Knows no probe: each server says what it was told.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.keep_alive_servers import APPS
from tests.support.processes import await_port, free_port, nginx_program, server_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One running server and what it was told; None for what it was not."""

    name: str
    url: str
    idle_s: float | None = None
    """Idle timeout."""
    requests: int | None = None
    """Requests on one connection."""
    lifetime_s: float | None = None
    header_s: float | None = None
    """How long the head of a request may take, or the first request be away."""


_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 4000; }}
http {{
  access_log off; root {folder};
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {servers}
}}
"""
_NGINX_VALUES = (
    ("keepalive_timeout 1s;", {"idle_s": 1.0}),
    ("keepalive_timeout 2s;", {"idle_s": 2.0}),
    ("keepalive_timeout 3s 3s;", {"idle_s": 3.0}),
    ("keepalive_timeout 2s; keepalive_requests 7;", {"idle_s": 2.0, "requests": 7}),
    ("keepalive_timeout 2s; keepalive_requests 60;", {"idle_s": 2.0, "requests": 60}),
    ("keepalive_timeout 5s; keepalive_time 1s;", {"lifetime_s": 1.0}),
    ("keepalive_timeout 5s; keepalive_time 2s;", {"lifetime_s": 2.0}),
    ("client_header_timeout 1s; keepalive_timeout 2s;", {"idle_s": 2.0, "header_s": 1.0}),
    ("client_header_timeout 3s; keepalive_timeout 1s;", {"idle_s": 1.0, "header_s": 3.0}),
)
_NODE = """
for (const [port, options, requests] of JSON.parse(process.argv[1])) {
  const server = require('http').createServer({connectionsCheckingInterval: 20, ...options}, (request, response) => {
    response.setHeader('Content-Length', 5);
    response.end('hello');
  });
  if (requests) server.maxRequestsPerSocket = requests;
  server.listen(port, '127.0.0.1', 511);
}
"""
_NODE_VALUES = (
    # Node keeps a connection for a second more than it announces.
    ({"keepAliveTimeout": 1000}, 0, {"idle_s": 2.0}),
    ({"keepAliveTimeout": 2000}, 0, {"idle_s": 3.0}),
    ({"keepAliveTimeout": 1000}, 6, {"idle_s": 2.0, "requests": 6}),
    ({"keepAliveTimeout": 1000}, 40, {"idle_s": 2.0, "requests": 40}),
    ({"headersTimeout": 1000, "keepAliveTimeout": 1000}, 0, {"idle_s": 2.0, "header_s": 1.0}),
    ({"headersTimeout": 2500, "keepAliveTimeout": 1000}, 0, {"idle_s": 2.0, "header_s": 2.5}),
)
_KEPT_S = (1, 3)


@contextmanager
def nginx(folder: Path) -> Iterator[list[Configured]]:
    """One nginx with a server for each of its values."""
    servers = [f'{settings} location / {{ return 200 "hello"; }}' for settings, _ in _NGINX_VALUES]
    with _nginx(folder, servers) as ports:
        yield [
            Configured(name=f"nginx {settings}", url=f"http://127.0.0.1:{port}/", **told)  # type: ignore[arg-type] # by name
            for port, (settings, told) in zip(ports, _NGINX_VALUES, strict=True)
        ]


@contextmanager
def node(folder: Path) -> Iterator[list[Configured]]:
    """One Node with a server for each of its values."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed (Debian: nodejs)")
    ports = [free_port() for _ in _NODE_VALUES]
    values = [[port, options, requests] for port, (options, requests, _) in zip(ports, _NODE_VALUES, strict=True)]
    with server_process([program, "-e", _NODE, json.dumps(values)], folder, *ports):
        yield [
            Configured(name=f"node {options} {requests}", url=f"http://127.0.0.1:{port}/", **told)  # type: ignore[arg-type] # by name
            for port, (options, requests, told) in zip(ports, _NODE_VALUES, strict=True)
        ]


@contextmanager
def chained(folder: Path, origins: list[Configured]) -> Iterator[list[Configured]]:
    """One nginx that is a proxy before each of the servers, and reuses its connections to them."""
    servers = [
        "keepalive_timeout 2500ms; location / { proxy_http_version 1.1; proxy_set_header Connection ''; "
        f"proxy_pass http://origin{number}; }}"
        for number, _ in enumerate(origins)
    ]
    upstreams = "".join(
        f"upstream origin{number} {{ server {one.url.removeprefix('http://').rstrip('/')}; keepalive 4; }}\n"
        for number, one in enumerate(origins)
    )
    with _nginx(folder, servers, upstreams) as ports:
        yield [
            Configured(name=f"nginx before {one.name}", url=f"http://127.0.0.1:{port}/", idle_s=2.5)
            for port, one in zip(ports, origins, strict=True)
        ]


@contextmanager
def uvicorn(folder: Path) -> Iterator[list[Configured]]:
    with _python(folder, "uvicorn", "--port {port} --timeout-keep-alive {kept} apps:asgi") as servers:
        yield servers


@contextmanager
def hypercorn(folder: Path) -> Iterator[list[Configured]]:
    with _python(folder, "hypercorn", "--bind 127.0.0.1:{port} --keep-alive {kept} apps:asgi") as servers:
        yield servers


@contextmanager
def gunicorn(folder: Path) -> Iterator[list[Configured]]:
    """With the worker that keeps connections, and threads for all that an audit has open."""
    options = "--worker-class gthread --threads 16 --no-control-socket"
    with _python(folder, "gunicorn", f"--bind 127.0.0.1:{{port}} --keep-alive {{kept}} {options} apps:wsgi") as servers:
        yield servers


Start = Callable[[Path], AbstractContextManager[list[Configured]]]
SERVERS: dict[str, Start] = {
    "nginx": nginx, "node": node, "uvicorn": uvicorn, "hypercorn": hypercorn, "gunicorn": gunicorn,
}  # fmt: skip


@contextmanager
def _nginx(folder: Path, servers: list[str], more: str = "") -> Iterator[list[int]]:
    """nginx with these servers, each on a port of its own."""
    program = nginx_program()
    folder.mkdir()
    folder.chmod(0o755)
    ports = [free_port() for _ in servers]
    texts = [f"server {{ listen 127.0.0.1:{port}; {one} }}" for port, one in zip(ports, servers, strict=True)]
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, servers=more + "\n  ".join(texts)), encoding="utf-8")
    with server_process([program, "-c", str(config)], folder, *ports):
        yield ports


@contextmanager
def _python(folder: Path, module: str, options: str) -> Iterator[list[Configured]]:
    """A server of Python's for each of the idle timeouts."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install {module})")
    folder.mkdir()
    (folder / "apps.py").write_text(APPS, encoding="utf-8")
    found = []
    with ExitStack() as stack:
        for kept_s in _KEPT_S:
            port = free_port()
            command = [sys.executable, "-m", module, *options.format(port=port, kept=kept_s).split(" ")]
            stack.enter_context(server_process(command, folder))
            found.append(Configured(name=f"{module} {kept_s}s", url=f"http://127.0.0.1:{port}/", idle_s=float(kept_s)))
        for one in found:
            await_port(int(one.url.rstrip("/").rpartition(":")[2]))
        yield found
