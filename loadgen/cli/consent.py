"""The user's consent before load goes to another machine. Sends nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from loadgen.model.addressing import DEFAULT_ADDRESSING, Addressing
from loadgen.model.proxy import Proxy
from loadgen.model.target import Target


def ask_consent(
    targets: Sequence[Target], proxy: Proxy | None, *, embedded: bool, agreed: bool,
    addressing: Addressing = DEFAULT_ADDRESSING,
) -> None:  # fmt: skip
    """Ask before a target or the proxy on another machine gets load, if standard input is a terminal."""
    if agreed or not sys.stdin.isatty():
        return
    for where in dict.fromkeys(where for target in targets for where in addressing.endpoint(target).remote):
        if not embedded:
            click.confirm(f"{where} is not this machine. Send load to it?", abort=True, err=True)
    if proxy is not None and not addressing.endpoint(targets[0], proxy).is_local:
        click.confirm(f"The proxy {proxy.host} is not this machine. Send load through it?", abort=True, err=True)
