"""Proxies over TLS, SOCKS servers and the PROXY protocol, with real servers: their logs must equal ours."""

from __future__ import annotations

import re
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_certificates import client_authority, write_pem
from tests.support.logging_nginx import nginx, take_lines
from tests.support.processes import QUICK, compare, free_port, installed, loadgen, server_process, write_certificates
from tests.support.racing import refusing
from tests.support.socks_servers import SERVERS

pytestmark = pytest.mark.peer

_LOG_FORMAT = "$connection $remote_port $proxy_protocol_addr:$proxy_protocol_port"
_SITE = """lingering_close off;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_early_data on;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
  server {{ listen 127.0.0.1:{clear}; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{tls} ssl; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{named} proxy_protocol; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{named_tls} proxy_protocol ssl; location / {{ return 200 "hello"; }} }}"""


@dataclass(frozen=True)
class Peers:
    """A running nginx, and the folder of its certificates."""

    folder: Path
    clear: int
    tls: int
    named: int
    named_tls: int

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def take_log(self) -> list[list[str]]:
        """Of each request since this was called last: connection, the peer's port, what a header named."""
        return [line.split() for line in take_lines(self.folder / "access.log")]


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    folder = tmp_path_factory.mktemp("proxies") / "nginx"
    folder.mkdir()
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    write_certificates(folder)
    found = Peers(folder, *(free_port() for _ in range(4)))
    ports = {"clear": found.clear, "tls": found.tls, "named": found.named, "named_tls": found.named_tls}
    with nginx(folder, _SITE.format(folder=folder, **ports), _LOG_FORMAT, *ports.values()):
        yield found


@pytest.fixture(scope="module")
def socks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program, port = installed("microsocks", "microsocks"), free_port()
    command = [program, "-i", "127.0.0.1", "-p", str(port), "-u", "user", "-P", "pw"]
    with server_process(command, tmp_path_factory.mktemp("socks"), port):
        yield port


@dataclass(frozen=True)
class Squid:
    """A running squid over TLS, with the certificate of the others."""

    port: int
    demanding: int
    """The port where each client must show a certificate."""
    log: Path

    def take_log(self) -> tuple[Counter[str], int, set[str]]:
        """Requests by method, connections, and the subjects of clients, since this was called last."""
        rows = [line.split(maxsplit=2) for line in take_lines(self.log)]
        rows = [row for row in rows if row[0] != "-"]  # a connection without TLS: whether squid listens
        methods = Counter(method for method, _port, _subject in rows)
        return methods, len({port for _method, port, _subject in rows}), {subject for _method, _port, subject in rows}


@pytest.fixture(scope="module")
def squid(peers: Peers) -> Iterator[Squid]:
    program, port, demanding = installed("squid", "squid-openssl"), free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # squid reads and writes as another user
        client_authority().cert_pem.write_to_path(str(folder / "clients.pem"))
        command = [program, "-N", "-n", f"squid{port}", "-f", str(_squid_config(folder, port, demanding, peers))]
        with server_process(command, folder / "run", port):
            yield Squid(port, demanding, folder / "access.log")


def _squid_config(folder: Path, port: int, demanding: int, peers: Peers) -> Path:
    both = folder / "both.pem"
    both.write_bytes((peers.folder / "chain.pem").read_bytes() + (peers.folder / "key.pem").read_bytes())
    both.chmod(0o644)
    lines = [f"https_port 127.0.0.1:{port} tls-cert={both}", "pid_filename none", "cache deny all"]
    lines += [f"https_port 127.0.0.1:{demanding} tls-cert={both} clientca={folder}/clients.pem sslcontext=tests"]
    lines += ["cache_log /dev/null", "netdb_filename none", "pinger_enable off", "shutdown_lifetime 0 seconds"]
    lines += [
        "logformat seen %rm %>p %ssl::>cert_subject",
        f"access_log stdio:{folder}/access.log seen",
        "http_access allow localhost",
    ]
    lines += [f"coredump_dir {folder}", "buffered_logs off", "acl SSL_ports port 1-65535"]
    config = folder / "conf"
    config.write_text("\n".join(lines) + "\n", encoding="ascii")
    return config


def all_of(summary: dict[str, Any], key: str) -> int:
    return sum(one["connections"][key] for one in summary["policies"].values())


def check_counts(summary: dict[str, Any], log: list[list[str]]) -> None:
    """Connections and requests are those that the target logged, and none failed."""
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert len(log) == all_of(summary, "exchanges_with_warmup") > 0
    assert len({connection for connection, *_more in log}) == all_of(summary, "opened")


def test_a_proxys_addresses_race(peers: Peers, socks: int, tmp_path: Path) -> None:
    peers.take_log()
    with refusing(socket.AF_INET6, socks):
        summary = compare(
            f"http://127.0.0.1:{peers.clear}/", tmp_path / "run", "--proxy", f"socks5://user:pw@p.test:{socks}",
            "--resolve", f"p.test:{socks}:[::1],127.0.0.1", "--happy-eyeballs", "250ms", "--users", "2",
        )  # fmt: skip
    check_counts(summary, peers.take_log())
    for one in summary["policies"].values():
        races = one["connections"]["races"]
        assert races["races"] == races["won_ipv4"] == races["lost"] == one["connections"]["opened"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("is_tls", [False, True])
def test_a_socks_server(peers: Peers, socks: int, scheme: str, is_tls: bool, tmp_path: Path) -> None:
    url = f"https://localhost:{peers.tls}/" if is_tls else f"http://localhost:{peers.clear}/"
    proxy = f"{scheme}://user:pw@127.0.0.1:{socks}"
    trust = ("--cacert", peers.ca_file) if is_tls else ()
    peers.take_log()
    summary = compare(url, tmp_path / "run", "--users", "3", "-4", "--proxy", proxy, *trust)
    check_counts(summary, peers.take_log())
    close, kept = summary["policies"]["close"], summary["policies"]["persistent"]
    assert close["phases_ns"]["tunnel"]["count"] == close["requests"] > 0
    assert close["phases_ns"]["tls"]["count"] == (close["requests"] if is_tls else 0)
    assert kept["phases_ns"]["tunnel"]["count"] == 0
    assert kept["connections"]["opened"] == kept["connections"]["ideal"]
    recorded = (tmp_path / "run" / "run.json").read_text(encoding="utf-8")
    assert f"{scheme}://***@127.0.0.1:{socks}" in recorded
    assert "user:pw" not in recorded


@pytest.mark.parametrize("name", SERVERS)
def test_socks_servers_of_other_makers(peers: Peers, name: str, tmp_path: Path) -> None:
    """Two targets through each, in clear and over TLS with early data in the tunnel."""
    with SERVERS[name](tmp_path) as port:
        peers.take_log()
        summary = compare(
            f"http://127.0.0.1:{peers.clear}/", tmp_path / "run", "--users", "2", "-4",
            "--proxy", f"socks5h://127.0.0.1:{port}",
        )  # fmt: skip
        check_counts(summary, peers.take_log())
        summary = compare(
            f"https://localhost:{peers.tls}/", tmp_path / "tls", "--users", "2", "-4", "--cacert", peers.ca_file,
            "--proxy", f"socks5h://127.0.0.1:{port}", "--policies", "close,close-resume,early-data",
        )  # fmt: skip
        check_counts(summary, peers.take_log())
    early = summary["policies"]["early-data"]["connections"]
    assert early["early_data"]["accepted"] == early["tls_resumed"] > 0
    assert summary["policies"]["close-resume"]["connections"]["tls_resumed"] > 0


@pytest.mark.parametrize(
    ("credentials", "port", "said"),
    [
        ("user:wrong@", 0, "does not accept the user and password"),
        ("", 0, "the SOCKS server wants a login, and none was given"),
        ("user:pw@", 1, "reply 5, connection refused: is the target running"),
    ],
)
def test_what_a_socks_server_refuses(
    peers: Peers, socks: int, credentials: str, port: int, said: str, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{port or peers.clear}/"
    proxy = f"socks5h://{credentials}127.0.0.1:{socks}"
    done = loadgen("compare", url, "--proxy", proxy, "--out", str(tmp_path / "run"), "--no-charts", *QUICK)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_requests_to_a_proxy_over_tls(peers: Peers, squid: Squid, tmp_path: Path) -> None:
    squid.take_log()
    way = ("--proxy", f"https://localhost:{squid.port}", "--proxy-cacert", peers.ca_file, "-4")
    summary = compare(f"http://127.0.0.1:{peers.clear}/", tmp_path / "run", "--users", "3", *way)
    methods, connections, _subjects = squid.take_log()
    close, kept = summary["policies"]["close"], summary["policies"]["persistent"]
    # One more asked about the fields for one hop.
    assert methods == {"GET": all_of(summary, "exchanges_with_warmup") + 1}
    assert connections == all_of(summary, "opened") + 1
    assert kept["connections"]["opened"] == kept["connections"]["ideal"]
    assert close["phases_ns"]["tunnel"]["count"] == close["requests"] > 0
    assert close["phases_ns"]["tls"]["count"] == all_of(summary, "tls_full") == 0
    # It is a TLS handshake, which takes far longer than that of TCP.
    assert close["phases_ns"]["tunnel"]["mean"] > 2 * close["phases_ns"]["connect"]["mean"]


@pytest.mark.parametrize("is_tls", [False, True])
def test_sessions_with_the_proxy_are_resumed(peers: Peers, squid: Squid, is_tls: bool, tmp_path: Path) -> None:
    """Both handshakes are, and early data goes through the tunnel."""
    way = ("--proxy", f"https://localhost:{squid.port}", "--proxy-cacert", peers.ca_file, "--cacert", peers.ca_file)
    url, early = (
        (f"https://127.0.0.1:{peers.tls}/", ",early-data") if is_tls else (f"http://127.0.0.1:{peers.clear}/", "")
    )
    squid.take_log()
    way = way if is_tls else way[:-2]
    policies = ("--policies", f"close,close-resume{early}")
    summary = compare(url, tmp_path / "run", "--users", "2", "-4", *way, *policies)
    made = {name: one["connections"] for name, one in summary["policies"].items()}
    assert (made["close"]["proxy_full_handshakes"], made["close"]["proxy_resumed_handshakes"]) == (
        made["close"]["opened"],
        0,
    )
    for name in made.keys() - {"close"}:
        one = made[name]
        assert one["proxy_full_handshakes"] + one["proxy_resumed_handshakes"] == one["opened"]
        assert 0 < one["proxy_full_handshakes"] <= one["ideal"]
    if is_tls:
        assert made["early-data"]["early_data"]["accepted"] == made["early-data"]["tls_resumed"] > 0
    # Ports are used again where squid ends a connection by a reset, so requests are counted.
    methods, _connections, _subjects = squid.take_log()
    assert methods == (
        {"CONNECT": all_of(summary, "opened")} if is_tls else {"GET": all_of(summary, "exchanges_with_warmup") + 1}
    )


def test_a_proxy_that_demands_a_certificate(peers: Peers, squid: Squid, tmp_path: Path) -> None:
    files = [write_pem(tmp_path, name) for name in ("alice", "bob")]
    shown = [argument for one in files for argument in ("--proxy-cert", f"{one.cert}", "--proxy-key", f"{one.key}")]
    way = ("--proxy", f"https://localhost:{squid.demanding}", "--proxy-cacert", peers.ca_file, "-4")
    url = f"http://127.0.0.1:{peers.clear}/"
    refused = loadgen("compare", url, *way, "--out", str(tmp_path / "no"), "--no-charts", *QUICK)
    assert refused.returncode == 3
    assert refused.stderr.startswith(f"loadgen: the proxy localhost:{squid.demanding}, on the way to {url}")
    assert "proxy certificate required" in refused.stderr
    assert "--proxy-cert FILE" in refused.stderr
    squid.take_log()
    policies = ("--policies", "persistent,close,close-resume")
    summary = compare(url, tmp_path / "run", "--users", "2", *way, *shown, *policies)
    methods, _connections, subjects = squid.take_log()
    # One more asked about the fields for one hop.
    assert methods == {"GET": all_of(summary, "exchanges_with_warmup") + 1}
    assert {subject.rpartition("CN=")[2] for subject in subjects} == {"alice", "bob"}
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert summary["policies"]["close-resume"]["connections"]["proxy_resumed_handshakes"] > 0


def test_tls_in_tls(peers: Peers, squid: Squid, tmp_path: Path) -> None:
    squid.take_log()
    peers.take_log()
    way = (
        "--proxy",
        f"https://localhost:{squid.port}",
        "--proxy-cacert",
        peers.ca_file,
        "--cacert",
        peers.ca_file,
        "-4",
    )
    policies = ("--policies", "persistent,close,close-resume")
    summary = compare(f"https://127.0.0.1:{peers.tls}/", tmp_path / "run", "--users", "3", *way, *policies)
    check_counts(summary, peers.take_log())
    close = summary["policies"]["close"]
    assert close["phases_ns"]["tunnel"]["count"] == close["phases_ns"]["tls"]["count"] == close["requests"] > 0
    resumed = summary["policies"]["close-resume"]["connections"]
    assert resumed["tls_resumed"] > 0
    methods, _connections, _subjects = squid.take_log()
    assert methods == {"CONNECT": all_of(summary, "opened")}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "proxy untrusted"),
        (("--cacert", "CA"), "proxy untrusted"),  # that is for the target
        (("--proxy-cacert", "CA", "--insecure"), ""),
    ],
)
def test_whose_certificate_it_is(peers: Peers, squid: Squid, more: tuple[str, ...], said: str, tmp_path: Path) -> None:
    arguments = [peers.ca_file if one == "CA" else one for one in more]
    proxy = f"https://localhost:{squid.port}"
    url = f"https://127.0.0.1:{peers.tls}/"
    done = loadgen(
        "compare", url, "--proxy", proxy, "-4", "--out", str(tmp_path / "run"), "--no-charts", *QUICK, *arguments
    )
    if not said:
        assert done.returncode == 0, done.stderr
        return
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"loadgen: the proxy localhost:{squid.port}, on the way to")
    assert said in done.stderr
    assert "--proxy-cacert FILE" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("is_tls", [False, True])
def test_nginx_reads_the_header(peers: Peers, version: str, is_tls: bool, tmp_path: Path) -> None:
    url = f"https://localhost:{peers.named_tls}/" if is_tls else f"http://localhost:{peers.named}/"
    trust = ("--cacert", peers.ca_file) if is_tls else ()
    peers.take_log()
    summary = compare(
        url, tmp_path / "run", "--users", "3", "-4", "--source-ip", "127.0.0.7", "--proxy-protocol", version, *trust
    )
    log = peers.take_log()
    check_counts(summary, log)
    assert all(named == f"127.0.0.7:{peer_port}" for _connection, peer_port, named in log)


def test_haproxy_reads_the_header(peers: Peers, tmp_path: Path) -> None:
    """Before the handshake, in which it demands a certificate."""
    program, port = installed("haproxy", "haproxy"), free_port()
    both, clients = tmp_path / "both.pem", tmp_path / "clients.pem"
    both.write_bytes((peers.folder / "chain.pem").read_bytes() + (peers.folder / "key.pem").read_bytes())
    client_authority().cert_pem.write_to_path(str(clients))
    alice = write_pem(tmp_path, "alice")
    # Of two threads that write at once one would drop its line.
    lines = ["global", " nbthread 1", " log stdout format raw local0"]
    lines += ["defaults", " mode http", " log global", " timeout client 60s"]
    lines += ["frontend f", f" bind 127.0.0.1:{port} accept-proxy ssl crt {both} ca-file {clients} verify required"]
    # Once for each connection and request; the certificate is that of the session.
    lines += [' log-format "seen %ci:%cp %[ssl_c_s_dn(CN)] %[ssl_fc_is_resumed]"']
    lines += [' http-request return status 200 content-type text/plain string "hello"', ""]
    config = tmp_path / "haproxy.cfg"
    config.write_text("\n".join(lines), encoding="ascii")
    url, way = f"https://localhost:{port}/", ("-4", "--cacert", peers.ca_file, "--proxy-protocol", "2")
    shown = ("--cert", str(alice.cert), "--key", str(alice.key))
    policies = ("--policies", "persistent,close,close-resume")
    with server_process([program, "-f", str(config)], tmp_path / "haproxy", port):
        summary = compare(url, tmp_path / "run", "--users", "3", *way, *shown, *policies)
        refused = [
            loadgen("compare", url, "--out", str(tmp_path / "no"), *QUICK, "--no-charts", *given)
            for given in (way, (*shown, *way[:-2]))  # without the certificate, and without the header
        ]
    assert [one.returncode for one in refused] == [3, 3]
    assert "tls certificate required" in refused[0].stderr
    log = (tmp_path / "haproxy" / "log").read_text(encoding="utf-8")
    seen = re.findall(r"seen (127\.0\.0\.1:\d+) alice ([01])", log)
    assert all(one["errors"] == {} for one in summary["policies"].values())
    assert len(seen) == all_of(summary, "exchanges_with_warmup")
    connections = dict(seen)
    assert len(connections) == all_of(summary, "opened")
    assert list(connections.values()).count("1") == all_of(summary, "tls_resumed") > 0
