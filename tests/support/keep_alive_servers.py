"""Real servers, each with an idle timeout of the caller's choice, and for how long each then keeps a connection.

nginx and Node wait twice as long for a request's head.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import PROGRAMS, await_port, free_port, server_process, write_certificates

APPS = """
async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""
_NODE = """
const limits = {
  keepAliveTimeout: MS, headersTimeout: 2 * MS, requestTimeout: 2 * MS, connectionsCheckingInterval: 50,
};
require('http').createServer(limits, (request, response) => response.end('hello'))
  .listen(PORT, '127.0.0.1', 511);
"""
_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1000; }}
http {{
  access_log off; root {folder}; keepalive_timeout {ms}ms; keepalive_requests 100000;
  client_header_timeout {twice}ms;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}{tls}; location / {{ return 200 "hello"; }} }}
}}
"""
_NGINX_TLS = " ssl; ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem"


@dataclass(frozen=True, slots=True)
class Kind:
    """A server. command: how it is started; it gets an empty folder, its port and its idle timeout (s)."""

    command: Callable[[Path, int, float], list[str]]
    more_s: float = 0
    """It keeps connections for so much longer than it was told to."""
    is_tls: bool = False
    is_installed: Callable[[], bool] = lambda: True


def _nginx(folder: Path, port: int, timeout_s: float, tls: str = "") -> list[str]:
    folder.chmod(0o755)
    ms = round(1000 * timeout_s)
    text = _NGINX.format(folder=folder, port=port, ms=ms, twice=2 * ms, tls=tls.format(folder=folder))
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    return [shutil.which("nginx", path=PROGRAMS) or "nginx", "-c", str(folder / "nginx.conf")]


def _nginx_tls(folder: Path, port: int, timeout_s: float) -> list[str]:
    write_certificates(folder)
    return _nginx(folder, port, timeout_s, _NGINX_TLS)


def _node(_folder: Path, port: int, timeout_s: float) -> list[str]:
    script = _NODE.replace("PORT", f"{port}").replace("MS", f"{round(1000 * timeout_s)}")
    return [shutil.which("node") or "node", "-e", script]


def _python(folder: Path, module: str, *arguments: str) -> list[str]:
    (folder / "apps.py").write_text(APPS, encoding="utf-8")
    return [sys.executable, "-m", module, *arguments]


def _uvicorn(folder: Path, port: int, timeout_s: float) -> list[str]:
    more = ("--loop", "asyncio", "--timeout-keep-alive", f"{timeout_s:.0f}")
    return _python(folder, "uvicorn", "apps:asgi", "--port", f"{port}", *more)


def _hypercorn(folder: Path, port: int, timeout_s: float) -> list[str]:
    return _python(folder, "hypercorn", "apps:asgi", "--bind", f"127.0.0.1:{port}", "--keep-alive", f"{timeout_s:.0f}")


def _gunicorn(folder: Path, port: int, timeout_s: float) -> list[str]:
    more = ("--worker-class", "gthread", "--threads", "8", "--keep-alive", f"{timeout_s:.0f}", "--no-control-socket")
    return _python(folder, "gunicorn", "apps:wsgi", "--bind", f"127.0.0.1:{port}", *more)


def _embedded(_folder: Path, port: int, timeout_s: float) -> list[str]:
    timeout = f"{round(1000 * timeout_s)}ms"
    return [sys.executable, "-m", "loadgen", "target", "--port", f"{port}", "--idle-timeout", timeout]


def _has_module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _has_nginx() -> bool:
    return shutil.which("nginx", path=PROGRAMS) is not None


KINDS = {
    "nginx": Kind(_nginx, is_installed=_has_nginx),
    "nginx-tls": Kind(_nginx_tls, is_tls=True, is_installed=_has_nginx),
    # It keeps a connection for a second more than it announces.
    "node": Kind(_node, more_s=1, is_installed=lambda: shutil.which("node") is not None),
    "uvicorn": Kind(_uvicorn, is_installed=_has_module("uvicorn")),
    "hypercorn": Kind(_hypercorn, is_installed=_has_module("hypercorn")),
    "gunicorn": Kind(_gunicorn, is_installed=_has_module("gunicorn")),
    "embedded": Kind(_embedded),
}


@dataclass(frozen=True, slots=True)
class KeepAliveServer:
    """A running server. keeps_s: for how long it keeps an idle connection."""

    name: str
    url: str
    keeps_s: float
    ca_file: str | None


@contextmanager
def keep_alive_servers(folder: Path, wanted: Iterable[tuple[str, float]]) -> Iterator[list[KeepAliveServer]]:
    """Run those of the servers, given as kind and timeout (s), that are installed, until the end of the block."""
    with ExitStack() as stack:
        servers = []
        for kind_name, timeout_s in wanted:
            kind = KINDS[kind_name]
            if kind.is_installed():
                name, port = f"{kind_name} {timeout_s:g} s", free_port()
                place = folder / name.replace(" ", "-")
                place.mkdir()
                stack.enter_context(server_process(kind.command(place, port, timeout_s), place))
                url = f"{'https' if kind.is_tls else 'http'}://127.0.0.1:{port}/"
                ca_file = str(place / "ca.pem") if kind.is_tls else None
                servers.append((port, KeepAliveServer(name, url, timeout_s + kind.more_s, ca_file)))
        for port, _ in servers:
            await_port(port)
        yield [server for _, server in servers]
