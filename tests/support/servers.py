"""Independent servers, as processes of their own, and what each of them counted.

Every one answers GET with five bytes, closes a connection that was idle for a second, and gives an account of what it
served.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loadgen.model.policy import UNLIMITED
from loadgen.model.units import NS_PER_MS
from tests.support.processes import Nginx, free_port, running_nginx, server_process

KEPT_S = 1
"""How long servers that keep idle connections are told to keep them; Node does it for a second more."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server saw of one connection. first_ns: when its first request came, on the monotonic clock."""

    first_ns: int
    requests: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server, how it limits connections, and how far its clock may be behind ours (blur_ns).

    most: requests on a connection. keeps_http10: an HTTP/1.0 client may have its connection kept alive.
    """

    url: str
    pid: int
    account: Callable[[], list[Served]]
    most: int = UNLIMITED
    keeps_http10: bool = True
    blur_ns: int = 0


# Neither ASGI nor WSGI says which connection a request came on, only its peer's port, which a later connection may get
# again; so each acceptance begins a new connection of that port.
_APPS = """
import json, socket, threading, time

served, latest, lock, accept = [], {}, threading.Lock(), socket.socket.accept

def counted(listener):
    connection, peer = accept(listener)
    latest[peer[1]] = None
    return connection, peer

socket.socket.accept = counted

def answer(path, port):
    if path == "/stats":
        return json.dumps(served).encode()
    with lock:
        if latest[port] is None:
            latest[port] = [time.monotonic_ns(), 0]
            served.append(latest[port])
        latest[port][1] += 1
    return b"hello"

async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    body = answer(scope["path"], scope["client"][1])
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})

def wsgi(environ, start_response):
    body = answer(environ["PATH_INFO"], int(environ["REMOTE_PORT"]))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

_NODE = """
const served = [];
const server = require('http').createServer({ keepAliveTimeout: 1000 * KEPT_S }, (request, response) => {
  if (request.url === '/stats') return response.end(JSON.stringify(served));
  const socket = request.socket;
  if (!socket.account) served.push(socket.account = [Number(process.hrtime.bigint()), 0]);
  socket.account[1] += 1;
  response.setHeader('Content-Length', 5);
  response.end('hello');
});
server.listen(PORT, '127.0.0.1', 511);
"""


@contextmanager
def uvicorn(folder: Path) -> Iterator[Peer]:
    def arguments(port: int) -> list[str]:
        return ["apps:asgi", "--port", f"{port}", "--loop", "asyncio", "--timeout-keep-alive", f"{KEPT_S}"]

    with _python(folder, "uvicorn", arguments, keeps_http10=False) as peer:
        yield peer


@contextmanager
def hypercorn(folder: Path) -> Iterator[Peer]:
    def arguments(port: int) -> list[str]:
        return ["apps:asgi", "--bind", f"127.0.0.1:{port}", "--keep-alive", f"{KEPT_S}"]

    with _python(folder, "hypercorn", arguments, keeps_http10=False) as peer:
        yield peer


@contextmanager
def gunicorn(folder: Path) -> Iterator[Peer]:
    """With the worker that keeps connections."""

    def arguments(port: int) -> list[str]:
        more = ["--worker-class", "gthread", "--threads", "8", "--keep-alive", f"{KEPT_S}", "--no-control-socket"]
        return ["apps:wsgi", "--bind", f"127.0.0.1:{port}", *more]

    with _python(folder, "gunicorn", arguments) as peer:
        yield peer


@contextmanager
def gunicorn_sync(folder: Path) -> Iterator[Peer]:
    """With its plain worker, which closes each connection after one response."""

    def arguments(port: int) -> list[str]:
        return ["apps:wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "sync", "--no-control-socket"]

    with _python(folder, "gunicorn", arguments, most=1) as peer:
        yield peer


@contextmanager
def node(folder: Path) -> Iterator[Peer]:
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed (Debian: nodejs)")
    port = free_port()
    script = _NODE.replace("PORT", f"{port}").replace("KEPT_S", f"{KEPT_S}")
    with _running([program, "-e", script], folder, port) as peer:
        yield peer


@contextmanager
def limited_nginx(folder: Path) -> Iterator[Peer]:
    """The part of nginx that allows five requests on a connection and announces its limits."""
    with running_nginx(folder) as server:
        yield nginx_peer(server, server.limited, most=5)


def nginx_peer(server: Nginx, url: str, most: int = UNLIMITED) -> Peer:
    """nginx, its account read from its log, which tells the time of day to the millisecond."""

    def account() -> list[Served]:
        ahead_ns = time.time_ns() - time.monotonic_ns()
        firsts: dict[str, int] = {}
        counts: dict[str, int] = {}
        for number, _nth, _option, _tls, seconds in server.log():
            firsts.setdefault(number, round(float(seconds) * 1000) * NS_PER_MS - ahead_ns)
            counts[number] = counts.get(number, 0) + 1
        return [Served(first_ns, counts[number]) for number, first_ns in firsts.items()]

    return Peer(url, server.pid, account, most, blur_ns=3 * NS_PER_MS)


Start = Callable[[Path], AbstractContextManager[Peer]]
PEERS: dict[str, Start] = {
    "limited-nginx": limited_nginx,
    "uvicorn": uvicorn,
    "hypercorn": hypercorn,
    "gunicorn": gunicorn,
    "gunicorn-sync": gunicorn_sync,
    "node": node,
}


@contextmanager
def _python(
    folder: Path, module: str, arguments: Callable[[int], list[str]], most: int = UNLIMITED, keeps_http10: bool = True
) -> Iterator[Peer]:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install {module})")
    folder.mkdir()
    (folder / "apps.py").write_text(_APPS, encoding="utf-8")
    port = free_port()
    with _running([sys.executable, "-m", module, *arguments(port)], folder, port) as peer:
        yield replace(peer, most=most, keeps_http10=keeps_http10)


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[Peer]:
    """Run a server that gives its account at /stats until the end of the block."""
    url = f"http://127.0.0.1:{port}/"

    def account() -> list[Served]:
        with urllib.request.urlopen(f"{url}stats", timeout=20) as response:
            return [Served(*one) for one in json.load(response)]

    with server_process(command, folder, port) as pid:
        account()  # a master listens before it has workers
        yield Peer(url, pid, account)
