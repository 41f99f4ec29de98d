"""The command line for the tests, here or as a process; nginx; and servers that misbehave by script."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.runner import run_cli

PROGRAMS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""Where servers are installed, some of them outside a user's PATH."""
SHORT_BLOCKS = ["--rounds", "2", "--block", "120ms", "--warmup", "20ms"]
THINK = "1ms"
QUICK = [*SHORT_BLOCKS, "--think", THINK]
"""Without a pilot, because of the think time, which leaves the processor to the other tests."""


def loadgen(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command here, which saves the start of a process; those that it starts itself are real ones."""
    done = run_cli(*arguments, cwd=cwd)
    return subprocess.CompletedProcess(arguments, done.code, done.stdout, done.stderr)


def loadgen_process(*arguments: str, cwd: Path | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would; options: those of subprocess.run."""
    return subprocess.run(
        [sys.executable, "-m", "loadgen", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
        **options,
    )


def compare(url: str, out: Path, *arguments: str, think: str = THINK) -> dict[str, Any]:
    """Run a quick comparison and return its summary. think: of users; arrivals (`--rate`) know none."""
    quick = SHORT_BLOCKS if "--rate" in arguments else [*SHORT_BLOCKS, "--think", think]
    done = loadgen("compare", url, "--out", str(out), "--json", "--no-charts", *quick, *arguments)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


_GIVEN_PORTS: set[int] = set()
"""By `free_port`."""


class Nginx:
    """A running nginx with an access log of one line a request. limited: it ends connections soon, and says so."""

    def __init__(self, folder: Path, http: int, https: int, limited: int, pid: int) -> None:
        self.folder = folder
        self.http = f"http://127.0.0.1:{http}/"
        self.https = f"https://127.0.0.1:{https}/"
        self.limited = f"http://127.0.0.1:{limited}/"
        self.pid = pid
        self.ca_file = folder / "ca.pem"

    def log(self) -> list[list[str]]:
        """The access log's fields: $connection, $connection_requests, $http_connection, $ssl_session_reused, $msec."""
        lines = (self.folder / "access.log").read_text(encoding="utf-8").splitlines()
        return [line.split(" ") for line in lines]


_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
worker_rlimit_nofile 12000; events {{ worker_connections 10000; }}
http {{
  log_format counts '$connection $connection_requests $http_connection $ssl_session_reused $msec';
  access_log {folder}/access.log counts; root {folder}; keepalive_requests 10000000; lingering_close off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; client_max_body_size 50m;
  server {{ listen 127.0.0.1:{http}; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{limited}; keepalive_requests 5; keepalive_timeout 1s 1s;
    location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{https} ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m;
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; location / {{ return 200 "hello"; }} }}
}}
"""


def installed(program: str, package: str) -> str:
    """Where a server's program is; skips the test where it is not installed. package: Debian's."""
    found = shutil.which(program, path=PROGRAMS)
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: {package})")
    return found


def nginx_program() -> str:
    """Where nginx is; skips the test where it is not installed."""
    return installed("nginx", "nginx-light")


@contextmanager
def running_nginx(folder: Path) -> Iterator[Nginx]:
    """nginx in a new folder until the end of the block; skips the test where it is not installed."""
    program = nginx_program()
    folder.mkdir()
    folder.chmod(0o755)
    write_certificates(folder)
    ports = {name: free_port() for name in ("http", "https", "limited")}
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **ports), encoding="utf-8")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, *ports.values()) as pid:
        yield Nginx(folder, pid=pid, **ports)


def write_certificates(folder: Path, *more: str) -> None:
    """A fresh authority's `ca.pem`, and `chain.pem` with `key.pem` for this machine's loopback names and `more`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1", *more)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "chain.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))


@contextmanager
def server_process(command: list[str], folder: Path, *ports: int) -> Iterator[int]:
    """Run a server until the end of the block, which begins once it listens on all ports; gives its process id.

    What it says is in folder/log, behind what another server of the folder has said.
    """
    folder.mkdir(exist_ok=True)
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            for port in ports:
                await_port(port)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """A loopback port that nothing listens on now, and that the kernel gives to nobody who does not ask for it.

    Of those that it gives away one may be the local port of a connection by the time that a server asks for it. Nor is
    a port given twice, by this process or another one that runs tests: two of a server's would be the same one.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % processes
    while True:
        port = secrets.choice(range(10_000 + own, first, processes)) if first > 20_000 else 0
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found = int(probe.getsockname()[1])
            if found not in _GIVEN_PORTS:
                _GIVEN_PORTS.add(found)
                return found


def await_port(port: int, host: str = "127.0.0.1") -> None:
    """Wait until something listens: each try is a real connect, the kernel does the waiting."""
    for _ in range(2000):
        with socket.socket() as probe:
            probe.settimeout(5)
            if probe.connect_ex((host, port)) == 0:
                return
        threading.Event().wait(0.005)
    raise TimeoutError(f"nothing listens on port {port}")


def wait_until(done: Callable[[], bool], process: subprocess.Popen[Any] | None = None) -> None:
    """Look now and then, and leave the machine to those who are waited for; fails where `process` ends before."""
    while not done():
        assert process is None or process.poll() is None
        threading.Event().wait(0.01)


Script = Callable[[socket.socket, int], None]


@contextmanager
def scripted_server(script: Script, family: int = socket.AF_INET, host: str = "127.0.0.1") -> Iterator[int]:
    """A server that runs `script(connection, number)` for each connection in a thread; gives its port."""
    with serving((host, 0), script, family) as listener:
        yield listener.getsockname()[1]


@contextmanager
def serving(address: Any, script: Script, family: int = socket.AF_INET) -> Iterator[socket.socket]:
    """The same at an address of any family; gives the socket that listens."""
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen(512)

    def serve(connection: socket.socket, number: int) -> None:
        with connection:
            connection.settimeout(20)
            with suppress(OSError):  # the client has gone
                script(connection, number)

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request without a body; empty when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def reset_at_close(connection: socket.socket) -> None:
    """Let it end by RST instead of FIN when it is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def lose_the_third(connection: socket.socket, _number: int) -> None:
    """A script for `scripted_server`: answers two requests, takes a third one and closes without a byte."""
    for _ in range(2):
        if read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    read_request(connection)


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
