"""A person's consent to load a host; and the accounts of embedded targets that took turns, added."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

import click

from loadgen.model.plan import Plan


def consent(plan: Plan, embedded: bool, agreed: bool) -> None:
    """Ask before loading somebody else's machine, or a proxy there, where there is somebody to ask."""
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


def added(one: Any, other: Any) -> Any:
    """Two accounts of targets that served the same run after each other; None where one of them is not known."""
    if one is None or other is None:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: added(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
            for key in one | other
        }
    return one + other if isinstance(one, int | float) and isinstance(other, int | float) else other
