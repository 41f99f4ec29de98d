"""The laboratory's servers: nginx, tinyproxy and the embedded target, on all addresses of the server's namespace."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.laboratory.network import Network
from tests.support.laboratory.urgency import SERVER, hurry
from tests.support.processes import PROGRAMS, await_port, write_certificates

LONG_BYTES = 300_000
"""Of the body at /long."""

# In a namespace of one's own every port is free.
_PORTS = {
    "http": 8080,
    "http6": 8086,
    "idle": 8087,
    "tls12": 8412,
    "tls13": 8413,
    "h2": 8414,
    "proxy": 3128,
    "target": 8090,
    "early": 8415,
}
TLS = ("tls12", "tls13", "h2", "early")

_NGINX = """
user root; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1000; }}
http {{
  log_format counts '$server_port $connection $connection_requests $ssl_session_reused';
  access_log {folder}/access.log counts; root {folder}; keepalive_requests 1000000; lingering_close off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; output_buffers 1 512k; default_type text/plain;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; ssl_session_cache shared:s:1m;
  server {{ listen {http}; location = / {{ return 200 "hello"; }} }}
  server {{ listen [::]:{http6}; location = / {{ return 200 "hello"; }} }}
  server {{ listen {idle}; keepalive_timeout 1s 1s; location = / {{ return 200 "hello"; }} }}
  server {{ listen {tls12} ssl; ssl_protocols TLSv1.2; location = / {{ return 200 "hello"; }} }}
  server {{ listen {tls13} ssl; ssl_protocols TLSv1.3; ssl_early_data on; location = / {{ return 200 "hello"; }} }}
  server {{ listen {h2} ssl http2; ssl_protocols TLSv1.3; location = / {{ return 200 "hello"; }} }}
}}
"""


class Servers:
    """What runs in the server's namespace, as the client sees it; rtt_ns: at the address with this round-trip time."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self.ca_file = folder / "ca.pem"
        self._accepted = self._requests = 0

    def url(self, server: str, rtt_ns: int, path: str = "/") -> str:
        """Of `http`, `http6` (over IPv6), `idle`, `tls12`, `tls13` and `h2`, which are nginx, or of an embedded target.

        `target` is in clear, and `early` takes early data over TLS. `idle` announces that it closes an unused
        connection after 1 s, and does.
        """
        if server == "http6":
            return f"http://[{self._network.address(rtt_ns, 6)}]:{_PORTS[server]}{path}"
        scheme = "https" if server in TLS else "http"
        return f"{scheme}://{self._network.address(rtt_ns)}:{_PORTS[server]}{path}"

    def proxy(self, rtt_ns: int) -> str:
        """Of tinyproxy."""
        return f"http://{self._network.address(rtt_ns)}:{_PORTS['proxy']}"

    def log(self, server: str) -> list[list[str]]:
        """nginx's log of this server: connection, which request of it, `r` where its TLS session was resumed."""
        lines = [line.split() for line in (self._folder / "access.log").read_text(encoding="utf-8").splitlines()]
        return [line[1:] for line in lines if line[0] == f"{_PORTS[server]}"]

    def account(self) -> tuple[int, int]:
        """Connections that the embedded target accepted, and requests on them, by its own account."""
        accepted, requests = self._account()
        return accepted - self._accepted, requests - self._requests

    def forget(self) -> None:
        """The target's account begins now."""
        self._accepted, self._requests = self._account()

    def _account(self) -> tuple[int, int]:
        with self._network.server.entered():
            url = f"http://127.0.0.1:{_PORTS['target']}/.loadgen/stats"
            with urllib.request.urlopen(url, timeout=20) as response:
                account = json.load(response)
        return account["accepted"], account["requests"]


def missing() -> str:
    """Which server is not installed; empty where all are."""
    for program, package in (("nginx", "nginx-light"), ("tinyproxy", "tinyproxy-bin")):
        if shutil.which(program, path=PROGRAMS) is None:
            return f"{program} is not installed (Debian: {package})"
    return ""


@contextmanager
def nginx(network: Network, folder: Path) -> Iterator[Servers]:
    """nginx alone until the end of the block, with its files in a new folder."""
    folder.mkdir()
    folder.chmod(0o755)
    write_certificates(folder, *network.addresses)
    (folder / "long").write_bytes(bytes(LONG_BYTES))
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **_PORTS), encoding="utf-8")
    with _running(network, "http", "nginx", "-c", f"{folder}/nginx.conf"):
        yield Servers(network, folder)


@contextmanager
def servers(network: Network, folder: Path) -> Iterator[Servers]:
    """All of them until the end of the block."""
    with nginx(network, folder) as all_servers, ExitStack() as stack:
        proxy = [f"Port {_PORTS['proxy']}", "Listen 0.0.0.0", "Timeout 60", "MaxClients 100", "LogLevel Error"]
        (folder / "tinyproxy.conf").write_text("\n".join([*proxy, f'LogFile "{folder}/proxy"', ""]), encoding="ascii")
        stack.enter_context(_running(network, "proxy", "tinyproxy", "-d", "-c", f"{folder}/tinyproxy.conf"))
        target = ["-m", "loadgen", "target", "--host", "0.0.0.0", "--port", f"{_PORTS['target']}"]
        stack.enter_context(_running(network, "target", sys.executable, *target))
        early = [*target[:-1], f"{_PORTS['early']}", "--tls", "--early-data", "--ca-file", f"{folder}/early.pem"]
        stack.enter_context(_running(network, "early", sys.executable, *early))
        all_servers.forget()
        yield all_servers


@contextmanager
def _running(network: Network, server: str, program: str, *arguments: str) -> Iterator[None]:
    """Run it until the end of the block, which begins as soon as it listens."""
    path = shutil.which(program, path=PROGRAMS)
    assert path
    with network.server.entered():
        process = subprocess.Popen(
            [path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    hurry(process.pid, SERVER)
    try:
        with network.server.entered():
            await_port(_PORTS[server])
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
