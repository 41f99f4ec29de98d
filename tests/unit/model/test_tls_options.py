"""The options about TLS on the command line, in plan files and in Locust: one table, everywhere the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadgen.cli.plan_reader import OptionReader
from loadgen.cli.plan_writer import plan_keys
from loadgen.model.option import COMPARE, PROBE, SWEEP
from loadgen.model.options import options_of
from loadgen.model.plan import Plan
from loadgen.model.plan_fields import of_values
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.tls_options import TLS_OPTIONS
from tests.support.client_certificates import PASSPHRASE, write_pem
from tests.support.runner import run_cli


def test_every_command_that_sends_requests_has_them_and_locust_too() -> None:
    names = {option.name for option in TLS_OPTIONS}
    for command in (COMPARE, SWEEP, PROBE):
        assert names <= {option.name for option in options_of(command)}
    assert all(option.locust is not None for option in TLS_OPTIONS)


def test_a_plan_file_keeps_them_and_holds_no_secret(tmp_path: Path) -> None:
    files = write_pem(tmp_path, "alice", PASSPHRASE)
    (tmp_path / "secret").write_text(PASSPHRASE, encoding="utf-8")
    keys = {
        "certs": ["alice.pem"], "keys": ["alice.key"], "key-passphrase": "file:secret", "tls-version": 1.2,
        "ciphers": "HIGH", "groups": "X25519:P-256", "alpn": ["http/1.1"], "sni": "none", "tickets": False,
    }  # fmt: skip
    values = OptionReader("p", tmp_path, COMPARE).values(keys)
    plan = Plan(**{"target": parse_target("https://h/"), "policies": parse_policies("close"), **of_values(values)})
    assert plan.tls.certs == (str(files.cert),)
    written = plan_keys(plan, embedded=False)
    assert PASSPHRASE not in str(written) + str(plan.to_json(secrets=True))
    assert written["key-passphrase"] == f"file:{tmp_path / 'secret'}"
    again = OptionReader("p", Path("/elsewhere"), COMPARE).values({name: written[name] for name in keys})
    assert of_values(again)["tls"] == plan.tls


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--key-passphrase", "hunter2"), "write env:NAME or file:PATH"),
        (("--tls-version", "1.1"), "'1.1' is no version of TLS"),
        (("--groups", "NONE"), "knows no group 'NONE'"),
        (("--ciphers", "NONE"), "knows no cipher 'NONE'"),
        (("--cert", "none.pem"), "--cert none.pem: No such file or directory"),
        (("--alpn", "h2"), "--alpn h2 leaves the policy persistent nothing to offer"),
        (("--sni", "127.0.0.1"), "is an address, and SNI has only names"),
    ],
)
@pytest.mark.parametrize("command", [COMPARE, PROBE])
def test_bad_input_is_one_line_before_a_connection_is_tried(
    tmp_path: Path, command: str, arguments: tuple[str, ...], line: str
) -> None:
    # Nothing listens there: a connection would fail with another code.
    done = run_cli(command, "https://127.0.0.1:1/", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert line in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_certificates_are_looked_at_before_a_connection_is_tried(tmp_path: Path) -> None:
    alice, bob = (write_pem(tmp_path, name) for name in ("alice", "bob"))
    old = write_pem(tmp_path, "old", until=datetime(2026, 1, 1, tzinfo=UTC))
    locked = write_pem(tmp_path, "locked", PASSPHRASE)
    (tmp_path / "wrong").write_text("battery staple", encoding="utf-8")
    for arguments, line in (
        (("--cert", str(alice.cert), "--key", str(bob.key)), "bob.key does not fit the certificate in"),
        (("--cert", str(old.cert), "--key", str(old.key)), "old.pem expired on 2026-01-01"),
        (("--cert", str(locked.cert), "--key", str(locked.key)), "locked.key is encrypted; give --key-passphrase"),
        (
            ("--cert", str(locked.cert), "--key", str(locked.key), "--key-passphrase", f"file:{tmp_path / 'wrong'}"),
            "locked.key does not open with this passphrase",
        ),
    ):
        for command in (COMPARE, SWEEP, PROBE):
            more = ("--users", "1,2") if command == SWEEP else ()
            done = run_cli(command, "https://127.0.0.1:1/", *arguments, *more, cwd=tmp_path)
            assert (done.code, line in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr


def test_options_of_tls_are_for_https(tmp_path: Path) -> None:
    done = run_cli(SWEEP, "http://127.0.0.1:1/", "--tls-version", "1.2,1.3", cwd=tmp_path)
    assert (done.code, done.stderr) == (
        2, "loadgen: --tls-version is for TLS, and http://127.0.0.1:1/ is in clear; use an https URL\n",
    )  # fmt: skip
