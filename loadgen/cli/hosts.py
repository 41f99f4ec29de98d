"""What is asked about the target's host: a person's consent to load it, and the embedded target's own account."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import sys
from typing import Any

import click

from loadgen.model.target import Target
from loadgen.target.behaviour import STATS_PATH


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


def account(target: Target, cacert: str | None) -> dict[str, Any] | None:
    """What the embedded target counted on its side; None where it can't say."""
    try:
        if target.is_tls:
            context = ssl.create_default_context(cafile=cacert)
            link: http.client.HTTPConnection = http.client.HTTPSConnection(target.host, target.port, context=context)
        else:
            link = http.client.HTTPConnection(target.host, target.port)
        link.request("GET", STATS_PATH)
        found: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return found


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
