"""Files and names that are wrong: one line that names the option, exit code 2, and no connection was tried."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.client_certificates import PASSPHRASE, issue, key_pem, write_pem, write_pkcs12
from tests.support.runner import run_cli
from tests.support.transports import listening

YESTERDAY = datetime.now(UTC) - timedelta(1)

# What is given beside the URL, and a part of the line. Of paths without a folder all are in the folder of `files`.
CLIENT_FILES: dict[str, tuple[str, str]] = {
    "wrong passphrase": (
        "--{p}cert alice.pem --{p}key locked.key --{p}key-passphrase file:wrong.txt",
        "--{p}key {f}/locked.key does not open with this passphrase",
    ),
    "wrong passphrase of PKCS#12": (
        "--{p}cert locked.p12 --{p}key-passphrase file:wrong.txt",
        "--{p}cert {f}/locked.p12 does not open with this passphrase; give --{p}key-passphrase env:NAME or file:PATH",
    ),
    "no passphrase": ("--{p}cert alice.pem --{p}key locked.key", "--{p}key {f}/locked.key is encrypted"),
    "no such variable": (
        "--{p}cert alice.pem --{p}key locked.key --{p}key-passphrase env:NO_SUCH",
        "--{p}key-passphrase: the environment has no variable NO_SUCH",
    ),
    "a passphrase itself": ("--{p}cert alice.pem --{p}key-passphrase s3cret", "write env:NAME or file:PATH"),
    "a key that does not fit": (
        "--{p}cert alice.pem --{p}key bob.key",
        "the private key in {f}/bob.key does not fit the certificate in {f}/alice.pem",
    ),
    "no key": ("--{p}cert alice.pem", "--{p}cert {f}/alice.pem holds no private key"),
    "expired": ("--{p}cert old.pem --{p}key old.key", "--{p}cert {f}/old.pem expired on"),
    "no such file": ("--{p}cert none.pem", "--{p}cert none.pem: No such file or directory"),
    "more keys than certificates": (
        "--{p}cert alice.pem --{p}key bob.key --{p}key bob.key", "there are 2 --{p}key for 1 --{p}cert",
    ),
}  # fmt: skip
OTHERS: dict[str, tuple[str, str]] = {
    "unknown group": ("--groups X25519:X999", "knows no group 'X999', or has it twice"),
    "unknown cipher": ("--ciphers NO-SUCH", "knows no cipher 'NO-SUCH'"),
    "unknown version": ("--tls-version 1.1", "'1.1' is no version of TLS that is spoken here"),
    "an address as a name": ("--sni 127.0.0.1", "SNI has only names"),
    "the proxy's authorities": ("--proxy https://127.0.0.1:{port} --proxy-cacert old.key", "no PEM certificate can be"),
    "missing socket file": ("--connect-to unix:none.sock", "none.sock"),
}
REQUESTS: dict[str, tuple[str, str]] = {
    "unknown template": ('{"url": "/{nobody}"}', "requests.jsonl, line 1: the template {nobody} is unknown"),
    "short row": ('{"url": "/{id}/{name}", "csv": "short.csv"}', "short.csv, line 3"),
    "no such CSV": ('{"url": "/{id}", "csv": "none.csv"}', "none.csv"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name in ("alice", "bob"):
        write_pem(folder, name)
    write_pem(folder, "old", until=YESTERDAY)
    (folder / "locked.key").write_bytes(key_pem(issue("alice"), PASSPHRASE))
    write_pkcs12(folder, "locked", PASSPHRASE)
    (folder / "wrong.txt").write_text("battery staple\n", encoding="utf-8")
    (folder / "short.csv").write_text("id,name\n1,one\n2\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def untouched() -> Iterator[int]:
    """The port of a server that must get no connection."""
    with listening() as listener:
        yield listener.getsockname()[1]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def check(files: Path, line: str, *arguments: str) -> None:
    done = run_cli(*arguments, cwd=files)
    assert (done.code, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("loadgen: ")
    assert done.stderr.count("\n") == 1
    assert line in done.stderr
    assert not any(word in done.stderr for word in (PASSPHRASE, "battery", "s3cret"))


@pytest.mark.parametrize("command", ["compare", "probe"])
@pytest.mark.parametrize("prefix", ["", "proxy-"])
@pytest.mark.parametrize("name", CLIENT_FILES)
def test_client_certificates(files: Path, untouched: int, name: str, prefix: str, command: str) -> None:
    given, line = CLIENT_FILES[name]
    proxy = ("--proxy", f"https://127.0.0.1:{untouched}") if prefix else ()
    check(
        files, line.format(p=prefix, f=files),
        command, f"https://127.0.0.1:{untouched}/", *proxy, *given.format(p=prefix).split(),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["compare", "sweep --recycle 1,2", "probe"])
@pytest.mark.parametrize("name", OTHERS)
def test_what_a_client_offers_and_where_it_goes(files: Path, untouched: int, name: str, command: str) -> None:
    given, line = OTHERS[name]
    check(files, line, *command.split(), f"https://127.0.0.1:{untouched}/", *given.format(port=untouched).split())


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(files: Path, untouched: int, name: str, tmp_path: Path) -> None:
    text, line = REQUESTS[name]
    (files / "requests.jsonl").write_text(text, encoding="utf-8")
    check(files, line, "compare", f"http://127.0.0.1:{untouched}/", "--urls", "requests.jsonl")
