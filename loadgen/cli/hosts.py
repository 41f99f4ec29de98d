"""A person's consent to load a host; and the accounts of embedded targets that took turns, added."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

import click

from loadgen.model.target import Target


def confirm(target: Target, agreed: bool) -> None:
    """Ask before loading somebody else's machine, where there is somebody to ask."""
    if agreed or not sys.stdin.isatty():
        return
    try:
        local = ipaddress.ip_address(target.host).is_loopback
    except ValueError:
        local = target.host == "localhost"
    if not local:
        click.confirm(f"{target.host} is not this machine. Send load to it?", abort=True, err=True)


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
