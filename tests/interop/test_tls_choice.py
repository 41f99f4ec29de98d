"""Client certificates, versions and groups against nginx and OpenSSL: their own accounts must equal ours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_certificates import PASSPHRASE, client_authority, write_pem, write_pkcs12
from tests.support.processes import QUICK, compare, free_port, installed, loadgen, server_process, write_certificates
from tests.support.secure_nginx import SecureNginx, secure_nginx

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureNginx]:
    with secure_nginx(tmp_path_factory.mktemp("tls") / "nginx") as running:
        yield running


def trusting(nginx: SecureNginx, *more: str) -> tuple[str, ...]:
    return ("--users", "4", "--cacert", str(nginx.ca_file), *more)


def test_users_show_their_certificates_in_turns(
    nginx: SecureNginx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", PASSPHRASE)
    alice = write_pem(tmp_path, "alice", PASSPHRASE)
    bob = write_pkcs12(tmp_path, "bob", PASSPHRASE)
    alice.cert.write_bytes(alice.cert.read_bytes() + alice.key.read_bytes())
    nginx.take_log()
    summary = compare(
        nginx.demanding, tmp_path / "run",
        *trusting(nginx, "--policies", "persistent,close,close-resume", "--cert", str(alice.cert)),
        "--cert", str(bob), "--key-passphrase", "env:KEY_PASSPHRASE",
    )  # fmt: skip
    log, requests = nginx.take_log()
    handshakes: Counter[bool] = Counter()
    by_subject: Counter[str] = Counter()
    for handshake, connections in log.items():
        handshakes[handshake.resumed] += connections
        by_subject[handshake.subject] += connections
    counted = [one["connections"] for one in summary["policies"].values()]
    ours = [sum(one[kind] for one in counted) for kind in ("tls_full", "tls_resumed")]
    assert [handshakes[False], handshakes[True]] == ours
    assert by_subject.keys() == {"alice", "bob"}
    assert min(by_subject.values()) > 0.3 * by_subject.total()
    assert requests >= sum(one["requests"] for one in summary["policies"].values()) > 0
    assert summary["policies"]["close-resume"]["connections"]["tls_resumed"] > 0
    assert summary["environment"]["target"]["tls"]["client_certificate"] == "sent"
    assert PASSPHRASE not in (tmp_path / "run" / "run.json").read_text(encoding="utf-8")


def test_a_sweep_compares_handshakes(nginx: SecureNginx, tmp_path: Path) -> None:
    nginx.take_log()
    # With TLS 1.2 the groups are those of the certificate's key too (RFC 8422 §5.1.1), and this one's is of P-256.
    axes = ("--tls-version", "1.2,1.3", "--groups", "X25519:P-256,P-256", "--policies", "close")
    arguments = trusting(nginx, "--out", str(tmp_path / "run"), "--json", "--no-charts", *QUICK, *axes)
    done = loadgen("sweep", nginx.asking, *arguments)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    log, _ = nginx.take_log()
    theirs = {(one.version, one.curve): connections for one, connections in log.items()}
    ours = {
        (f"TLSv{cell['tls_version']}", {"P-256": "prime256v1"}.get(f"{cell['groups']}", "X25519")): (
            summary["policies"][name]["connections"]["tls_full"]
        )
        for name, cell in summary["sweep"]["cells"].items()
    }
    assert theirs == ours
    assert len(ours) == 4
    assert {one["baseline"] for one in summary["comparisons"]} == {"close · TLS 1.2 · X25519:P-256"}
    assert len(summary["comparisons"]) == 3


def test_nginx_asks_in_vain(nginx: SecureNginx, tmp_path: Path) -> None:
    codes = {}
    for name, url in (("demanding", nginx.demanding), ("asking", nginx.asking)):
        found = compare(url, tmp_path / name, *trusting(nginx))
        codes[name] = {one["code"] for one in found["warnings"]}
        assert found["environment"]["target"]["tls"]["client_certificate"] == "missing"
    assert "client_certificate_missing" in codes["demanding"]
    assert "client_certificate_missing" not in codes["asking"]


def test_early_data_is_what_nginx_saw(nginx: SecureNginx, tmp_path: Path) -> None:
    nginx.take_log()
    policies = "close-resume,early-data,early-data+recycle:3"
    summary = compare(nginx.asking, tmp_path / "run", *trusting(nginx, "--policies", policies))
    log, _ = nginx.take_log()
    counted = {name: one["connections"] for name, one in summary["policies"].items()}
    accepted = {name: one["early_data"]["accepted"] for name, one in counted.items()}
    resumed = sum(connections for one, connections in log.items() if one.resumed)
    assert resumed == sum(one["tls_resumed"] for one in counted.values())
    # nginx says so only of requests that it reads before the handshake is done; some it reads a moment later, on a busy
    # machine most of them. That what counts as accepted was accepted is held by tests/unit/wire/test_early_data.py.
    seen = sum(connections for one, connections in log.items() if one.early)
    assert 0 < seen <= sum(accepted.values())
    assert accepted["close-resume"] == 0
    for name in ("early-data", "early-data+recycle:3"):
        # Each session allows it; the first connection of each user has none.
        assert accepted[name] == counted[name]["tls_resumed"]
        assert counted[name]["early_data"]["rejected"] == 0
        assert summary["policies"][name]["errors"] == {}


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_openssl_says_what_is_missing_or_wrong(tmp_path: Path, version: str) -> None:
    openssl = installed("openssl", "openssl")
    write_certificates(tmp_path)
    client_authority().cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    alice = write_pem(tmp_path, "alice")
    # The server's own certificate, which no authority of clients has signed.
    stranger = ("--cert", str(tmp_path / "chain.pem"), "--key", str(tmp_path / "key.pem"))
    port = free_port()
    command = [openssl, "s_server", "-accept", f"{port}", "-cert", "chain.pem", "-key", "key.pem", "-www", "-quiet"]
    command += ["-CAfile", "clients.pem", "-Verify", "1", "-verify_return_error"]
    command = [str(tmp_path / one) if one.endswith(".pem") else one for one in command]
    with server_process(command, tmp_path / "server", port):
        for certificate, code, line in (
            ((), 3, "tls certificate required: "),
            (stranger, 3, "tls certificate refused: "),
            (("--cert", str(alice.cert), "--key", str(alice.key)), 0, ""),
        ):
            done = loadgen(
                "compare", f"https://127.0.0.1:{port}/", "--cacert", str(tmp_path / "ca.pem"), "--tls-version", version,
                "--users", "1", "--policies", "close", "--no-charts", "--out", str(tmp_path / "run"), *QUICK,
                "--block", "500ms", *certificate,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            assert line in done.stderr


# It says of each connection whose certificate it saw, and whether the session was resumed; and of each request that.
_NODE = """
const fs = require('fs'), https = require('https');
const read = fs.readFileSync;
const options = {key: read('key.pem'), cert: read('chain.pem'), ca: read('clients.pem'),
  requestCert: true, rejectUnauthorized: true, keepAliveTimeout: 60000};
const server = https.createServer(options, (request, response) => { console.log('request'); response.end('hello'); });
server.on('secureConnection', socket =>
  console.log('connection', socket.getPeerCertificate().subject?.CN, socket.isSessionReused()));
server.listen(PORT, '127.0.0.1');
"""


def test_node_demands_a_certificate(tmp_path: Path) -> None:
    node, port = installed("node", "nodejs"), free_port()
    write_certificates(tmp_path)
    client_authority().cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    alice = write_pem(tmp_path, "alice")
    url, trust = f"https://127.0.0.1:{port}/", ("--cacert", str(tmp_path / "ca.pem"))
    with server_process([node, "-e", _NODE.replace("PORT", f"{port}")], tmp_path, port):
        summary = compare(
            url, tmp_path / "run", *trust, "--users", "2", "--policies", "persistent,close,close-resume",
            "--cert", str(alice.cert), "--key", str(alice.key),
        )  # fmt: skip
        done = loadgen("compare", url, *trust, "--no-charts", "--out", str(tmp_path / "no"), *QUICK)
        log = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert done.returncode == 3
    assert "tls certificate required" in done.stderr
    counted = [one["connections"] for one in summary["policies"].values()]
    made = Counter(log)
    assert made["connection alice false"] == sum(one["tls_full"] for one in counted) > 0
    assert made["connection alice true"] == sum(one["tls_resumed"] for one in counted) > 0
    assert made["request"] == sum(one["exchanges_with_warmup"] for one in counted)
