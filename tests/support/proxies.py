"""Proxies for the tests: tinyproxy and squid as processes of their own, and one of ours for what these never do."""

from __future__ import annotations

import base64
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.processes import free_port, installed, read_request, scripted_server, server_process

USER, PASSWORD = "user", "s3cretword"
CHALLENGE = b'Proxy-Authenticate: Basic realm="test"\r\n'


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'{USER}:{password}'.encode()).decode()}"


def proxy_url(port: int, credentials: str = f"{USER}:{PASSWORD}@") -> str:
    return f"http://{credentials}127.0.0.1:{port}"


@contextmanager
def tinyproxy() -> Iterator[int]:
    """tinyproxy, which wants the credentials; gives its port."""
    program, port = installed("tinyproxy", "tinyproxy-bin"), free_port()
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 100", "Allow 127.0.0.1"]
        lines += [f'LogFile "{folder}/tinyproxy.log"', "LogLevel Info", f"BasicAuth {USER} {PASSWORD}"]
        path = Path(folder, "conf")
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        with server_process([program, "-d", "-c", str(path)], Path(folder), port):
            yield port


@contextmanager
def squid() -> Iterator[int]:
    """squid, which wants the credentials; gives its port."""
    program, port = installed("squid", "squid-openssl"), free_port()
    helper = next((path for path in Path("/usr").glob("lib*/squid/basic_ncsa_auth")), None)
    if helper is None or shutil.which("openssl") is None:
        pytest.skip("squid's basic_ncsa_auth or openssl is not installed (Debian: squid-openssl, openssl)")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # squid and its helper read it as another user
        hashed = subprocess.run(
            ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        Path(folder, "passwords").write_text(f"{USER}:{hashed}", encoding="ascii")
        lines = [f"http_port 127.0.0.1:{port}", "pid_filename none", "cache deny all", "cache_log /dev/null"]
        lines += ["access_log none", "netdb_filename none", "pinger_enable off", "shutdown_lifetime 0 seconds"]
        lines += [f"auth_param basic program {helper} {folder}/passwords", "acl known proxy_auth REQUIRED"]
        lines += ["http_access allow known", "http_access deny all", f"coredump_dir {folder}"]
        path = Path(folder, "conf")
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        # A name of its own, for its shared memory: another squid may be running.
        with server_process([program, "-N", "-n", f"squid{port}", "-f", str(path)], Path(folder), port):
            yield port


REAL: dict[str, Callable[[], AbstractContextManager[int]]] = {"tinyproxy": tinyproxy, "squid": squid}

Refuse = Callable[[socket.socket, bytes], bool]
"""Answers a request without credentials; False where it has closed the connection, or is about to."""


def asks(connection: socket.socket, _request: bytes) -> bool:
    """407 with some content, chunked, and the connection goes on."""
    head = b"HTTP/1.1 407 Proxy Authentication Required\r\n" + CHALLENGE
    connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n6\r\nwho is\r\n1\r\n?\r\n0\r\n\r\n")
    return True


def asks_and_closes(connection: socket.socket, _request: bytes) -> bool:
    connection.sendall(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\nContent-Length: 0\r\n"
        + CHALLENGE
        + b"\r\n"
    )
    return False


def asks_and_closes_unsaid(connection: socket.socket, _request: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n" + CHALLENGE + b"\r\n")
    return False


class FakeProxy:
    """A proxy for one target: opens tunnels, forwards requests as they are but for their first line and upgrades.

    refuse: what it does with a request without the right credentials, None where it wants none. asked: how many such
    there were; shown: how many had them; heads: of all requests. opening: what it says before a tunnel's bytes.
    """

    def __init__(self, refuse: Refuse | None, opening: bytes, password: str) -> None:
        self.asked = self.shown = 0
        self.heads: list[bytes] = []
        self._refuse = refuse
        self._opening = opening
        self._basic = b"proxy-authorization: " + basic(password).encode().lower()

    def __call__(self, connection: socket.socket, _number: int) -> None:
        upstream: socket.socket | None = None
        try:
            while request := _next_request(connection):
                self.heads.append(request)
                if self._refuse is not None and self._basic not in request.lower():
                    self.asked += 1
                    if not self._refuse(connection, request):
                        return
                    continue
                self.shown += 1
                method, uri, rest = request.split(b" ", 2)
                if method == b"CONNECT":
                    upstream = _connected(uri.decode())
                    connection.sendall(self._opening)
                    _begin_pump(upstream, connection)
                    _pump(connection, upstream)
                    return
                parts = urlsplit(uri.decode())
                if upstream is None:
                    upstream = _connected(parts.netloc)
                    _begin_pump(upstream, connection)
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                kept = re.sub(rb"(?im)^upgrade:.*\n", b"", rest)
                upstream.sendall(b" ".join((method, path.encode(), kept)))
        finally:
            if upstream is not None:
                with suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)  # a thread that reads from it would keep it open
                upstream.close()


@contextmanager
def fake_proxy(
    refuse: Refuse | None = asks, opening: bytes = b"HTTP/1.1 200 OK\r\n\r\n", password: str = PASSWORD
) -> Iterator[tuple[FakeProxy, int]]:
    """Gives it and its port."""
    fake = FakeProxy(refuse, opening, password)
    with scripted_server(fake) as port:
        yield fake, port


def _next_request(connection: socket.socket) -> bytes:
    """One request's head and no byte more, for others may follow at once; empty where the client has closed."""
    end = connection.recv(65536, socket.MSG_PEEK).find(b"\r\n\r\n") + 4
    return connection.recv(end) if end >= 4 else read_request(connection)


def _connected(authority: str) -> socket.socket:
    host, _, port = authority.rpartition(":")
    return socket.create_connection((host, int(port)), 20)


def _begin_pump(source: socket.socket, sink: socket.socket) -> None:
    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes, then close the other side too."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
