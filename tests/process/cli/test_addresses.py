"""Where connections go: curl's rules with curl's bytes, socket files, and the addresses of a name."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadgen import load_run
from loadgen.wire.syscalls import socket_file
from tests.support.logging_nginx import nginx
from tests.support.processes import compare, free_port, loadgen, read_request, scripted_server, serving
from tests.support.racing import silent
from tests.support.secure_servers import SecureServer, certificate, in_turns, server_context, trust

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
AS_CURL_WRITES = ("--policies", "close", "--users", "1")


@contextmanager
def listener(family: int, address: Any) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """A server that answers each connection once, and what each of them said."""
    heads: list[bytes] = []

    def answer(connection: socket.socket, _number: int) -> None:
        heads.append(read_request(connection))
        connection.sendall(OK)

    with serving(address, answer, family) as found:
        yield found, heads


@contextmanager
def embedded(*options: str) -> Iterator[str]:
    """`loadgen target`, until its input ends; gives its URL, and a second line where it answers DNS."""
    command = [sys.executable, "-m", "loadgen", "target", "--until-eof", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = 2 if "--dns-port" in options else 1
        yield " ".join(process.stdout.readline().strip() for _ in range(lines))
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def curl(*arguments: str) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed (Debian: curl)")
    done = subprocess.run([program, "-sS", "-A", "loadgen", *arguments], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "rule",
    [
        ("--connect-to", "shop.test:80:127.0.0.1:{port}"),
        ("--connect-to", "::127.0.0.1:{port}"),
        ("--connect-to", ":80::{port}", "--resolve", "shop.test:{port}:127.0.0.1"),
        ("-4", "--connect-to", "::localhost:{port}"),
    ],
)
def test_the_rules_are_curls(tmp_path: Path, rule: tuple[str, ...]) -> None:
    heads = []
    for client in ("curl", "loadgen"):
        with listener(socket.AF_INET, ("127.0.0.1", 0)) as (server, said):
            given = [one.format(port=server.getsockname()[1]) for one in rule]
            if client == "curl":
                curl("http://shop.test/a?b=1", "-H", "Connection: close", *given)
            else:
                found = compare("http://shop.test/a?b=1", tmp_path / "run", *AS_CURL_WRITES, *given)
                assert found["policies"]["close"]["errors"] == {}
            heads.append(said[0])
    assert heads[0] == heads[1]
    assert b"Host: shop.test\r\n" in heads[0]


@pytest.mark.parametrize(
    ("port_of_url", "rule"),
    [
        ("", ("--connect-to", "shop.test:443:127.0.0.1:{port}")),
        ("", ("--connect-to", "::other.test:{port}", "--resolve", "other.test:{port}:127.0.0.1")),
        (":{port}", ("--resolve", "shop.test:{port}:127.0.0.1")),
    ],
)
def test_over_tls_the_rules_are_curls_too(tmp_path: Path, port_of_url: str, rule: tuple[str, ...]) -> None:
    """Host, name of the handshake and certificate stay those of the URL, wherever connections go."""
    heads: list[bytes] = []
    names: list[bytes | None] = []
    context = server_context(leaf=certificate("shop.test"))
    context.set_tlsext_servername_callback(lambda connection: names.append(connection.get_servername()))
    server = SecureServer(in_turns(context), lasts=heads)
    with scripted_server(server.script) as port:
        url = f"https://shop.test{port_of_url.format(port=port)}/a?b=1"
        given = ("--cacert", trust(tmp_path)["cacert"], *(one.format(port=port) for one in rule))
        curl(url, "-H", "Connection: close", "--http1.1", *given)
        found = compare(url, tmp_path / "run", *AS_CURL_WRITES, *given)
    assert found["policies"]["close"]["errors"] == {}
    assert set(names) == {b"shop.test"}
    assert len(set(heads)) == 1
    assert len(heads) > 2
    assert b"Host: shop.test" + (f":{port}".encode() if port_of_url else b"") + b"\r\n" in heads[0]


@pytest.mark.parametrize("form", ["file", "abstract"])
def test_a_socket_file_gets_curls_bytes(tmp_path: Path, form: str) -> None:
    name, flag = {
        "file": (f"{tmp_path / 'socket'}", "--unix-socket"),
        "abstract": (f"@loadgen-{os.getpid()}", "--abstract-unix-socket"),
    }[form]
    with listener(socket.AF_UNIX, socket_file(name)) as (_, said):
        curl("http://localhost/", "-H", "Connection: close", flag, name.removeprefix("@"))
        found = compare(f"unix:{name}", tmp_path / "run", *AS_CURL_WRITES)
    assert said[0] == said[1]
    assert found["environment"]["target"]["address"] == name


def test_a_socket_file_beside_loopback(tmp_path: Path) -> None:
    """nginx's own log says how many requests came which way."""
    port = free_port()  # to tell that it runs
    site = f"server {{ listen unix:{tmp_path}/socket; listen 127.0.0.1:{port}; location / {{ return 200; }} }}"
    with nginx(tmp_path, site, "$server_addr $host", port):
        summary = compare(f"unix:{tmp_path}/socket:/x", tmp_path / "run", "--users", "3")
    found = summary["policies"]
    assert all(one["errors"] == {} for one in found.values())
    assert found["close"]["phases_ns"]["connect"]["count"] == found["close"]["requests"]
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert set(lines) == {f"unix:{tmp_path}/socket localhost"}
    # Ports and TIME_WAIT are TCP's.
    assert found["close"]["sockets"]["ports_range"] is None


def test_all_addresses_of_a_name_and_the_backends_behind_them(tmp_path: Path) -> None:
    """Counts by address and by backend are those of the servers' logs."""
    addresses, port = [f"127.0.0.{number}" for number in (1, 2, 3)], free_port()
    listens = "".join(f"listen {one}:{port};" for one in addresses)
    site = f"server {{ {listens} location / {{ add_header X-Backend $server_addr; return 200 hello; }} }}"
    names = ",".join(addresses)
    with nginx(tmp_path, site, "$server_addr $connection", port):
        found = compare(
            f"http://shop.test:{port}/", tmp_path / "run", "--resolve", f"shop.test:{port}:{names}", "--users", "4",
            "--addresses", "all", "--backend-header", "X-Backend",
        )["policies"]  # fmt: skip
    lines = [line.split() for line in (tmp_path / "access.log").read_text().splitlines()]
    requests = {f"{one}:{port}": sum(line[0] == one for line in lines) for one in addresses}
    connections = {f"{one}:{port}": len({line[1] for line in lines if line[0] == one}) for one in addresses}
    balances = [one["balance"] for one in found.values()]
    counted = [line for balance in balances for line in balance["addresses"]]
    for name in requests:
        mine = [line for line in counted if line["address"] == name]
        assert sum(line["requests"] for line in mine) == requests[name]
        assert sum(line["connections"] for line in mine) == connections[name]
    for balance in balances:
        by_backend = {f"{line['backend']}:{port}": line["requests"] for line in balance["backends"]}
        assert by_backend == {line["address"]: line["requests"] for line in balance["addresses"]}
    # New connections go to all in turn.
    assert found["close"]["balance"]["evenness"]["connections"] > 0.999


def test_happy_eyeballs_costs_what_the_servers_log_says(tmp_path: Path) -> None:
    """nginx on IPv4 alone, and ::1 silent before it: each connection waits the delay, and none reaches ::1."""
    port = free_port()
    site = f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 hello; }} }}"
    rule = f"shop.test:{port}:[::1],127.0.0.1"
    with silent(socket.AF_INET6, port), nginx(tmp_path, site, "$server_addr $connection", port):
        found = compare(
            f"http://shop.test:{port}/", tmp_path / "run", "--resolve", rule, "--users", "2", "--happy-eyeballs",
            "30ms",
        )  # fmt: skip
    lines = [line.split() for line in (tmp_path / "access.log").read_text().splitlines()]
    policies = found["policies"]
    races = {name: one["connections"]["races"] for name, one in policies.items()}
    assert sum(one["connections"]["opened"] for one in policies.values()) == len({line[1] for line in lines})
    for name, one in races.items():
        assert one["races"] == one["won_ipv4"] == one["delayed"] == one["lost"] == one["attempts"] - one["races"]
        assert one["lost_connected"] == one["won_ipv6"] == 0
        assert one["races"] == policies[name]["connections"]["opened"]
        assert one["delay_mean_ns"] >= 30_000_000
        assert policies[name]["balance"]["addresses"][0]["address"] == f"127.0.0.1:{port}"
    connect = policies["close"]["phases_ns"]["connect"]
    assert connect["count"] == policies["close"]["requests"]
    assert connect["p50"] >= 30_000_000
    assert "first_address_loses" in {one["code"] for one in found["warnings"]}
    # What was counted can be rebuilt from the folder.
    table = load_run(tmp_path / "run").samples
    assert set(table["address"]) == {f"127.0.0.1:{port}"}


def test_the_embedded_targets_replicas_say_who_they_are(tmp_path: Path) -> None:
    with embedded("--replicas", "3", "--port", "0") as url:
        port = url.rstrip("/").rpartition(":")[2]
        rule = f"shop.test:{port}:127.0.0.1,127.0.0.2,127.0.0.3"
        found = compare(
            f"http://shop.test:{port}/", tmp_path / "run", "--resolve", rule, "--addresses", "random", "--users", "9",
            "--backend-header", "x-replica",
        )["policies"]  # fmt: skip
    for one in found.values():
        balance = one["balance"]
        by_backend = {f"{line['backend']}:{port}": line["requests"] for line in balance["backends"]}
        assert by_backend == {line["address"]: line["requests"] for line in balance["addresses"] if line["requests"]}
    assert len(found["close"]["balance"]["backends"]) == 3


def test_addresses_and_their_ttl_come_from_a_dns_server(tmp_path: Path) -> None:
    with embedded("--replicas", "2", "--port", "0", "--dns-port", "0", "--dns-ttl", "1s") as url:
        port, dns = url.split()[0].rstrip("/").rpartition(":")[2], url.split()[-1]
        found = compare(
            f"http://shop.test:{port}/", tmp_path / "run", "--dns-server", dns, "--dns-ttl", "record", "--addresses",
            "all", "--users", "2", "--policies", "close", "--rounds", "2", "--block", "1200ms",
        )  # fmt: skip
    one = found["policies"]["close"]
    assert sorted(found["environment"]["target"]["addresses"]) == ["127.0.0.1", "127.0.0.2"]
    assert one["balance"]["evenness"]["connections"] > 0.999
    # 2.4 s with answers that may be kept for 1 s: looked up again, and not for each connection.
    assert one["phases_ns"]["dns"]["count"] < 20 < one["connections"]["opened"]
    assert not one["errors"]


def test_the_embedded_target_on_a_socket_file(tmp_path: Path) -> None:
    with embedded("--host", f"unix:{tmp_path}/socket") as url:
        found = compare(url, tmp_path / "run", "--users", "2")["policies"]
    assert all(one["requests"] and not one["errors"] for one in found.values())
    assert not (tmp_path / "socket").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("unix:/no/such/socket",), "No such file or directory"),
        (("http://h/", "--connect-to", "unix:/no/such/socket"), "No such file or directory"),
        (("http://h/", "--resolve", "h:80:nowhere"), "'nowhere' is not an IP address"),
        (("http://h/", "--resolve", "i:80:127.0.0.1"), "is never used"),
        (("http://h/", "--connect-to", "nonsense"), "write HOST:PORT"),
        (("http://127.0.0.1:9/", "-6"), "--ipv6 contradicts 127.0.0.1"),
        (("--connect-to", "h:80"), "is for a URL"),
    ],
)
@pytest.mark.parametrize("command", ["compare", "probe"])
def test_what_is_wrong_is_said_before_a_connection_is_tried(
    tmp_path: Path, command: str, arguments: tuple[str, ...], complaint: str
) -> None:
    done = loadgen(command, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
