"""The user's consent before load goes to another machine. Sends nothing."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence

import click

from loadgen.model.proxy import Proxy
from loadgen.model.target import Target


def ask_consent(targets: Sequence[Target], proxy: Proxy | None, *, embedded: bool, agreed: bool) -> None:
    """Ask before a target or the proxy on another machine gets load, if standard input is a terminal."""
    if agreed or not sys.stdin.isatty():
        return
    for host in dict.fromkeys(target.host for target in targets):
        if not (embedded or _is_local(host)):
            click.confirm(f"{host} is not this machine. Send load to it?", abort=True, err=True)
    if proxy is not None and not _is_local(proxy.host):
        click.confirm(f"The proxy {proxy.host} is not this machine. Send load through it?", abort=True, err=True)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
