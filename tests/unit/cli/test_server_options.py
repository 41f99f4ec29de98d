"""The options of `loadgen target`: each is read as its type says, and has a default that the target can be made of."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from loadgen.cli.commands import target
from loadgen.cli.target import behaviour_of
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
