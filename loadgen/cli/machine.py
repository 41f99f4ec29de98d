"""What this machine must have for a plan: file descriptors, source addresses, the server's process. Starts nothing."""

from __future__ import annotations

import ipaddress
import os
import resource
import socket

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.proxy import Proxy
from loadgen.model.target import Target

# Besides one for each connection: standard streams, the loop, row files, libraries, and connections that linger.
_OWN_DESCRIPTORS = 64 + 512


def check_machine(plan: Plan) -> None:
    """Raise PlanError where this machine can't run the plan; raise the soft limit of descriptors as far as it needs."""
    _raise_descriptor_limit(plan)
    for address in plan.source_ips:
        _check_source(address, plan.peer)
    if plan.server_pid is not None:
        try:
            if plan.server_pid < 1:
                raise ProcessLookupError
            os.kill(plan.server_pid, 0)
        except (ProcessLookupError, OverflowError):
            raise PlanError(f"--server-pid {plan.server_pid}: there is no such process on this machine") from None
        except PermissionError:
            pass  # another user's process; what can be read of it will be


def _raise_descriptor_limit(plan: Plan) -> None:
    peak = plan.peak_connections  # each worker is a process of its own
    needed = peak + _OWN_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        option = "--max-connections" if any(cell.rate_rps for cell in plan.cells) else "--users"
        raise PlanError(
            f"{option} {peak} needs {needed} file descriptors, the hard limit is {hard}; raise it with ulimit -Hn"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _check_source(text: str, peer: Target | Proxy) -> None:
    address = ipaddress.ip_address(text)
    if peer.is_ip_literal and ipaddress.ip_address(peer.host).version != address.version:
        raise PlanError(f"--source-ip {text} is an IPv{address.version} address, and {peer.host} is none")
    if address.is_multicast or address.is_unspecified or _is_broadcast(address):
        raise PlanError(
            f"--source-ip {text} is not an address that a connection can come from; give one of an interface"
        )
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as probe:
        try:
            probe.bind((text, 0))
        except OSError:
            raise PlanError(f"--source-ip {text}: not an address of this machine") from None


def _is_broadcast(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """The kernel knows the networks here: it refuses a broadcast address to a plain socket. Sends nothing."""
    if address.version == 6:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except PermissionError:
            return True
        except OSError:  # no way there: not an address of this machine either
            return False
    return False
