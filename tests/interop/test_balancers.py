"""HAProxy as a target with several addresses and servers behind it: its own account must equal our balance."""

from __future__ import annotations

import csv
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.logging_nginx import nginx
from tests.support.processes import compare, free_port, installed, server_process, wait_until
from tests.support.racing import refusing

pytestmark = pytest.mark.peer

_ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
_CONFIG = """
global
  stats socket {folder}/stats.sock mode 600
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend shop
  option socket-stats
  {binds}
  default_backend replicas
backend replicas
  balance roundrobin
  http-response set-header X-Backend %[srv_name]
  {servers}
"""


@dataclass(frozen=True)
class Haproxy:
    """A running one. port: the same on each of _ADDRESSES."""

    port: int
    socket: Path

    def account(self, kind: str) -> dict[str, int]:
        """Sessions so far of each listener (connections) or server (requests), by its name."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(self.socket))
            asking.sendall(b"show stat\n")
            text = b"".join(iter(lambda: asking.recv(65536), b"")).decode()
        lines = csv.DictReader(text.removeprefix("# ").splitlines())
        number = {"listener": "3", "server": "2"}[kind]
        return {line["svname"]: int(line["stot"]) for line in lines if line["type"] == number}

    def rule(self, *addresses: str) -> str:
        """For --resolve."""
        return f"shop.test:{self.port}:{','.join(addresses)}"


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haproxy]:
    program, folder = installed("haproxy", "haproxy"), tmp_path_factory.mktemp("haproxy")
    port, *servers = (free_port() for _ in range(3))
    site = "".join(f"server {{ listen 127.0.0.1:{one}; location / {{ return 200 hello; }} }}" for one in servers)
    binds = "\n  ".join(f"bind {one}:{port} name {one}" for one in _ADDRESSES)
    lines = "\n  ".join(f"server s{number} 127.0.0.1:{one}" for number, one in enumerate(servers))
    config = folder / "haproxy.cfg"
    config.write_text(_CONFIG.format(folder=folder, binds=binds, servers=lines), encoding="ascii")
    with ExitStack() as stack:
        stack.enter_context(nginx(folder, site, "$connection", *servers))
        stack.enter_context(server_process([program, "-db", "-f", str(config)], folder, port))
        wait_until((folder / "stats.sock").exists)
        yield Haproxy(port, folder / "stats.sock")


def summed(policies: dict[str, Any], key: str, name: str, counted: str) -> dict[str, int]:
    """A count of all policies' balances, by address or backend."""
    total: dict[str, int] = {}
    for one in policies.values():
        for line in one["balance"][key]:
            total[line[name]] = total.get(line[name], 0) + line[counted]
    return total


def test_connections_by_address_and_requests_by_backend_are_haproxys(haproxy: Haproxy, tmp_path: Path) -> None:
    before = {kind: haproxy.account(kind) for kind in ("listener", "server")}
    found = compare(
        f"http://shop.test:{haproxy.port}/", tmp_path / "run", "--resolve", haproxy.rule(*_ADDRESSES), "--addresses",
        "all", "--users", "3", "--backend-header", "X-Backend",
    )["policies"]  # fmt: skip
    since = {
        kind: {name: count - before[kind][name] for name, count in haproxy.account(kind).items()} for kind in before
    }
    opened = summed(found, "addresses", "address", "connections")
    assert opened == {f"{name}:{haproxy.port}": count for name, count in since["listener"].items()}
    assert summed(found, "backends", "backend", "requests") == since["server"]
    assert found["close"]["balance"]["evenness"]["connections"] > 0.999
    # The balancer spreads requests whatever becomes of connections.
    assert all(one["balance"]["evenness"]["backends"] > 0.99 for one in found.values())


def test_a_race_of_addresses_reaches_haproxy_once_for_each_connection(haproxy: Haproxy, tmp_path: Path) -> None:
    before = sum(haproxy.account("listener").values())
    with refusing(socket.AF_INET6, haproxy.port):
        found = compare(
            f"http://shop.test:{haproxy.port}/", tmp_path / "run", "--resolve", haproxy.rule("[::1]", _ADDRESSES[1]),
            "--happy-eyeballs", "250ms", "--users", "2",
        )["policies"]  # fmt: skip
    opened = sum(one["connections"]["opened"] for one in found.values())
    assert sum(haproxy.account("listener").values()) - before == opened
    for one in found.values():
        races = one["connections"]["races"]
        assert races["attempts"] == 2 * races["races"] == 2 * races["won_ipv4"]
        assert races["delay_mean_ns"] < 250_000_000  # a refusal makes the next attempt begin at once
