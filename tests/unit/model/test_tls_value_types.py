"""How options about TLS are written; what is wrong is one line, and a secret is never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.tls_value_types import (
    CIPHERS,
    GROUPS,
    AlpnProtocols,
    SecretSource,
    ServerName,
    TlsVersions,
    read_secret,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TlsVersions(), "1.2", "1.2"),
        (TlsVersions(), " 1.2-1.3", "1.2-1.3"),
        (TlsVersions(), "1.3-1.3", "1.3"),
        (GROUPS, "X25519:P-256", "X25519:P-256"),
        (CIPHERS, "HIGH:!aNULL@SECLEVEL=1", "HIGH:!aNULL@SECLEVEL=1"),
        (AlpnProtocols(), "h2, http/1.1", ("h2", "http/1.1")),
        (AlpnProtocols(), "none", ()),
        (ServerName(), "Example.com.", "example.com"),
        (ServerName(), f"_dns.{'a' * 63}.test", f"_dns.{'a' * 63}.test"),
        (ServerName(), "none", "none"),
        (SecretSource(), "env:A", "env:A"),
    ],
)
def test_what_is_read(kind: Any, text: str, value: Any) -> None:
    assert kind.read(text) == value
    assert kind.restore(kind.record(value, secrets=False)) == value
    written = kind.write(value)
    assert kind.read(",".join(written) if isinstance(written, list) else written) == value


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        (TlsVersions(), "1.1", "'1.1' is no version of TLS that is spoken here"),
        (TlsVersions(), "1.3-1.2", "write 1.2, 1.3 or 1.2-1.3"),
        (GROUPS, "X25519,P-256", "are no groups; write them like X25519:P-256"),
        (GROUPS, "", "are no groups"),
        (CIPHERS, "a b", "are no ciphers"),
        (AlpnProtocols(), "h2,,", "names no protocols"),
        (AlpnProtocols(), "h" * 256, "names no protocols"),
        (ServerName(), "127.0.0.1", "is an address, and SNI has only names"),
        (ServerName(), "a b", "is no host name"),
        (ServerName(), "a" * 250 + "!", "is no host name"),  # at once
        (ServerName(), "a" * 64 + ".test", "is no host name"),
        (ServerName(), "a..test", "is no host name"),
        (SecretSource(), "env:", "write env:NAME or file:PATH"),
    ],
)
def test_what_is_wrong(kind: Any, text: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        kind.read(text)


def test_a_passphrase_that_was_given_itself_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="write env:NAME or file:PATH") as caught:
        SecretSource().read("hunter2")
    assert "hunter2" not in str(caught.value)


def test_secrets_are_read_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", " with spaces ")
    assert read_secret("env:A", "--option") == " with spaces "
    (tmp_path / "file").write_bytes(b"first\r\nsecond\n")
    assert read_secret(f"file:{tmp_path / 'file'}", "--option") == "first"
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(PlanError, match=r"--option .*file: the passphrase is not in UTF-8"):
        read_secret(f"file:{tmp_path / 'file'}", "--option")
