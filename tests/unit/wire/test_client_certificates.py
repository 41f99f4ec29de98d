"""Client certificates as files: what can be read, and one line for each thing that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.client_identity import ClientIdentity
from loadgen.model.exceptions import PlanError
from loadgen.wire.client_certificates import load_certificates
from tests.support.client_certificates import PASSPHRASE, issue, key_pem, write_pem, write_pkcs12

_IN_ENVIRONMENT = "env:KEY_PASSPHRASE"


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", PASSPHRASE)
    (tmp_path / "secret").write_text(f"{PASSPHRASE}\nsecond line\n", encoding="utf-8")
    (tmp_path / "wrong").write_text("battery staple\n", encoding="utf-8")


def settings(cert: Path, key: Path | None = None, passphrase: str | None = None) -> ClientIdentity:
    return ClientIdentity((str(cert),), (str(key),) if key else (), passphrase)


def in_one_file(folder: Path) -> ClientIdentity:
    files = write_pem(folder, "alice")
    files.cert.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    return settings(files.cert)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: settings(*write_pem(folder, "alice")),
        in_one_file,
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE), _IN_ENVIRONMENT),
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE), f"file:{folder / 'secret'}"),
        # A passphrase for others of several certificates.
        lambda folder: settings(*write_pem(folder, "alice"), _IN_ENVIRONMENT),
        lambda folder: settings(write_pkcs12(folder, "alice", PASSPHRASE), None, _IN_ENVIRONMENT),
        lambda folder: settings(write_pkcs12(folder, "alice")),
        lambda folder: settings(write_pkcs12(folder, "alice", has_key=False), write_pem(folder, "alice").key),
    ],
)
def test_what_can_be_read(tmp_path: Path, make: Callable[[Path], ClientIdentity]) -> None:
    (found,) = load_certificates(make(tmp_path))
    assert found.chain[0].subject.rfc4514_string().startswith("CN=alice")
    assert found.key.public_key() == found.chain[0].public_key()


def test_a_chain_is_in_order_whatever_the_file_has(tmp_path: Path) -> None:
    (found,) = load_certificates(settings(write_pkcs12(tmp_path, "alice")))
    own, authority = found.chain
    assert own.issuer == authority.subject


def test_several_in_their_order(tmp_path: Path) -> None:
    files = [write_pem(tmp_path, name) for name in ("alice", "bob")]
    found = load_certificates(
        ClientIdentity(tuple(str(one.cert) for one in files), tuple(str(one.key) for one in files))
    )
    assert [one.chain[0].subject.rfc4514_string().partition(",")[0] for one in found] == ["CN=alice", "CN=bob"]
    assert load_certificates(ClientIdentity()) == ()


def _broken_key(folder: Path) -> ClientIdentity:
    files = write_pem(folder, "alice")
    files.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", encoding="ascii")
    return settings(*files)


def _text(folder: Path, text: str) -> Path:
    (folder / "text").write_text(text, encoding="utf-8")
    return folder / "text"


def _other_key(folder: Path) -> ClientIdentity:
    (folder / "other.key").write_bytes(key_pem(issue("bob")))
    return settings(write_pem(folder, "alice").cert, folder / "other.key")


def _dated(folder: Path, days: int) -> ClientIdentity:
    return settings(*write_pem(folder, f"of {days}", until=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days)))


_WRONG: dict[str, tuple[Callable[[Path], ClientIdentity], str]] = {
    "no file": (lambda folder: settings(folder / "none"), "--cert .*none: No such file or directory"),
    "a folder": (lambda folder: settings(folder), "--cert .*: Is a directory"),
    "no certificate": (lambda folder: settings(_text(folder, "hello")), "text is neither PEM nor PKCS#12"),
    "broken PEM": (
        lambda folder: settings(_text(folder, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        "no certificate can be read from this PEM file",
    ),
    "no key": (lambda folder: settings(write_pem(folder, "alice").cert), "holds no private key; .* with --key"),
    "PKCS#12 without a key": (
        lambda folder: settings(write_pkcs12(folder, "alice", has_key=False)),
        "alice.p12 holds no private key; give the file that does with --key",
    ),
    "no key in PEM": (
        lambda folder: settings(write_pem(folder, "alice").cert, _text(folder, "hello")),
        "--key .*text holds no private key in PEM",
    ),
    "a broken key": (_broken_key, "--key .*alice.key holds a private key that is broken"),
    "another's key": (_other_key, "the private key in .*other.key does not fit the certificate in .*alice.pem"),
    "no passphrase": (
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE)),
        "--key .*alice.key is encrypted; give --key-passphrase env:NAME or file:PATH",
    ),
    "a wrong passphrase": (
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE), f"file:{folder / 'wrong'}"),
        "--key .*alice.key does not open with this passphrase",
    ),
    "PKCS#12, wrong": (
        lambda folder: settings(write_pkcs12(folder, "alice", PASSPHRASE), None, f"file:{folder / 'wrong'}"),
        "--cert .*alice.p12 does not open with this passphrase",
    ),
    "PKCS#12, none": (
        lambda folder: settings(write_pkcs12(folder, "alice", PASSPHRASE)),
        "--cert .*alice.p12 needs a passphrase",
    ),
    "no variable": (
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE), "env:NO_SUCH"),
        "--key-passphrase: the environment has no variable NO_SUCH",
    ),
    "no file of it": (
        lambda folder: settings(*write_pem(folder, "alice", PASSPHRASE), f"file:{folder / 'none'}"),
        "--key-passphrase .*none: No such file",
    ),
    "expired": (lambda folder: _dated(folder, 0), r"of 0.pem expired on 2026-01-01 00:00 UTC; give a valid one"),
}


@pytest.mark.parametrize("name", _WRONG)
def test_each_wrong_file_is_one_line(tmp_path: Path, name: str) -> None:
    make, line = _WRONG[name]
    with pytest.raises(PlanError, match=line) as caught:
        load_certificates(make(tmp_path))
    message = str(caught.value)
    assert "\n" not in message
    assert PASSPHRASE not in message


def test_one_that_is_not_valid_yet(tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC) + timedelta(1)
    leaf: Any = issue("tomorrow", tomorrow + timedelta(1), tomorrow)
    (tmp_path / "one").write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    with pytest.raises(PlanError, match=r"one is not valid before \d{4}-"):
        load_certificates(settings(tmp_path / "one"))
