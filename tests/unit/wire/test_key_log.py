"""Keys are logged where SSLKEYLOGFILE says, in the form that other tools read, and a wrong path is one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from OpenSSL import SSL

from loadgen.model.exceptions import PlanError
from loadgen.target.certificates import server_context
from loadgen.wire.key_log import VARIABLE
from loadgen.wire.tls_context import client_context
from tests.support.tls_handshakes import handshake

_LINE = re.compile(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}")


def test_a_handshake_s_secrets_are_appended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "keys.log"
    file.write_text("earlier\n", encoding="ascii")
    server = server_context(("h",), tmp_path / "ca.pem")
    monkeypatch.setenv(VARIABLE, str(file))
    handshake(client_context("h", None, insecure=True), server)
    earlier, *lines = file.read_text(encoding="ascii").splitlines()
    assert earlier == "earlier"
    assert all(_LINE.fullmatch(line) for line in lines)
    assert {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= {line.split(" ")[0] for line in lines}


def test_nothing_is_logged_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    server = server_context(("h",), tmp_path / "ca.pem")
    client, _ = handshake(client_context("h", None, insecure=True), server)
    assert client.get_protocol_version() == SSL.TLS1_3_VERSION
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.pem"]


def test_a_file_that_can_not_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(PlanError, match=r"SSLKEYLOGFILE .*: Is a directory"):
        client_context("h", None, insecure=True)
