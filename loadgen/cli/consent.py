"""The user's consent before load goes to another machine. Sends nothing."""

from __future__ import annotations

import ipaddress
import sys

import click

from loadgen.model.plan import Plan


def ask_consent(plan: Plan, embedded: bool, *, agreed: bool) -> None:
    """Ask before the target or the proxy on another machine gets load, if standard input is a terminal."""
    if agreed or not sys.stdin.isatty():
        return
    if not (embedded or _is_local(plan.target.host)):
        click.confirm(f"{plan.target.host} is not this machine. Send load to it?", abort=True, err=True)
    if plan.proxy is not None and not _is_local(plan.proxy.host):
        click.confirm(f"The proxy {plan.proxy.host} is not this machine. Send load through it?", abort=True, err=True)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
