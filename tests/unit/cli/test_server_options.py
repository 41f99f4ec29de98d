"""The options of `loadgen target`: each is read as its type says, and has a default that the target can be made of."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from loadgen.cli.commands import target
from loadgen.cli.target import behaviour_of, check_pairs
from loadgen.model.exceptions import PlanError
from loadgen.target.behaviour import Behaviour
from loadgen.target.server_tls import ServerTls


def read(*arguments: str) -> dict[str, object]:
    return dict(target.make_context("target", [*arguments]).params)


def test_without_any_it_is_the_usual_target() -> None:
    found = read()
    assert behaviour_of(found) == Behaviour()
    assert ServerTls.of(found) == ServerTls()
    assert (found["host"], found["port"], found["replicas"], found["dns_port"]) == ("127.0.0.1", 8080, 1, None)


def test_each_is_read_as_its_type_says() -> None:
    found = read(
        *("--tls", "--client-ca", "a.pem", "--tls-version", "1.3", "--early-data", "--delay", "5ms"),
        *("--decline", "h2,websocket", "--last-until", "2s"),
    )
    assert ServerTls.of(found) == ServerTls(Path("a.pem"), "1.3", early_data=True)
    assert behaviour_of(found) == Behaviour(delay_ns=5_000_000, declines=frozenset({"h2", "websocket"}))
    assert found["last_until"] == 2_000_000_000
    with pytest.raises(click.BadParameter, match=r"write 1\.2, 1\.3 or 1\.2-1\.3"):
        read("--tls-version", "1.1")


def check(*arguments: str) -> None:
    found = read(*arguments)
    defaults = read()
    check_pairs(found, {name for name, value in found.items() if value != defaults[name]})


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--last-from", "5s"), "--last-from is for one of several --replicas; give at least two"),
        (("--last-until", "5s"), "--last-until is for one of several --replicas"),
        (("--dns-ttl", "2s"), "--dns-ttl is for the answers of --dns-port; give both"),
        (("--dns-port", "0", "--dns-ttl", "1500ms"), r"--dns-ttl 1\.50 s: DNS counts in whole seconds"),
        (("--ca-file", "ca.pem"), "--ca-file is for the certificate of --tls; give both"),
        (("--silent",), "--silent is for --close-after and --idle-timeout; give one of them"),
        (("--host", "unix:/s", "--port", "81"), "--port is for an address, and --host is a socket file, unix:/s"),
        (("--host", "unix:/s", "--dns-port", "53"), "--dns-port is for an address, and --host is a socket file"),
        (
            ("--replicas", "2", "--last-from", "5s", "--last-until", "5s"),
            r"--last-until 5\.00 s is not after --last-from 5\.00 s, when the last replica comes",
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments: tuple[str, ...], line: str) -> None:
    with pytest.raises(PlanError, match=line):
        check(*arguments)


def test_those_that_belong_together_are_taken() -> None:
    check("--replicas", "2", "--last-from", "2s", "--last-until", "5s", "--dns-port", "0", "--dns-ttl", "3s")
    check("--replicas", "2", "--last-until", "5s", "--tls", "--ca-file", "ca.pem", "--silent", "--close-after", "3")
    check("--host", "unix:/s")
