"""What this machine must have for a plan: file descriptors, source addresses, the server's process. Starts nothing."""

from __future__ import annotations

import ipaddress
import os
import resource
import socket
from dataclasses import replace
from pathlib import Path

from loadgen.model import descriptors
from loadgen.model.authority import is_ip_literal
from loadgen.model.endpoint import Endpoint, check_socket_file
from loadgen.model.exceptions import PlanError
from loadgen.model.extras import check_package
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy
from loadgen.model.policy.parts.tcp import algorithms, opens_fast
from loadgen.model.units import count

_SETTINGS = Path("/proc/sys/net/ipv4")


def check_machine(plan: Plan, embedded: bool = False) -> None:
    """Raise PlanError where this machine can't run the plan; raise the soft limit of descriptors as far as it needs.

    embedded: the target will be a process of this run.
    """
    _raise_descriptor_limit(plan, embedded)
    if plan.transfer.file is not None:
        plan.transfer.file.check()
    for one in plan.by_target().values():
        if one.target.is_tls:
            # The authority of an embedded target goes with it: a resumed run names that of one that has ended.
            _check_tls(replace(one, cacert=None) if embedded else one)
    if plan.addressing.asks_dns:
        check_package("--dns-server or --dns-ttl record", "dnspython", "dns", module="dns")
    proxies = tuple(map(plan.proxy_to, plan.each_target))
    ends = [plan.addressing.endpoint(*one) for one in zip(plan.each_target, proxies, strict=True)]
    if any(proxy is not None and proxy.is_tls for proxy in proxies):
        _check_proxy_tls(plan)
    for end in ends:
        if end.socket:
            check_socket_file(end.socket)
    for address in plan.source_ips:
        for end in ends:
            _check_source(address, end)
    for policy in plan.policies:
        _check_tcp(policy)
    if plan.server_pid is not None:
        try:
            if plan.server_pid < 1:
                raise ProcessLookupError
            os.kill(plan.server_pid, 0)
        except (ProcessLookupError, OverflowError):
            raise PlanError(f"--server-pid {plan.server_pid}: there is no such process on this machine") from None
        except PermissionError:
            pass  # another user's process; what can be read of it will be


def _check_tcp(policy: ConnectionPolicy) -> None:
    """Options of TCP that this machine's kernel has."""
    if opens_fast(policy) and not int(_setting("tcp_fastopen") or 0) & 1:
        raise PlanError(
            f"the policy {policy.name!r}: this machine lets no client use TCP Fast Open; "
            "run: sysctl -w net.ipv4.tcp_fastopen=1"
        )
    for algorithm in algorithms(policy):
        known = _setting("tcp_available_congestion_control").split()
        if known and algorithm not in known:
            raise PlanError(
                f"the policy {policy.name!r}: this machine has no congestion control {algorithm}; "
                f"it has {', '.join(known)}"
            )


def _setting(name: str) -> str:
    """A setting of the kernel's TCP; empty where it has none of that name."""
    try:
        return (_SETTINGS / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _check_proxy_tls(plan: Plan) -> None:
    """The authorities that an https proxy is checked by."""
    from loadgen.wire.proxy.secure import ProxyTls

    if plan.proxy is not None:
        ProxyTls(plan.proxy, plan.proxying)


def _check_tls(plan: Plan) -> None:
    """Certificates, ciphers and groups: whatever the workers would find out later."""
    from loadgen.wire.tls_contexts import TlsContexts  # OpenSSL takes long to import, and most plans need none of it

    contexts = TlsContexts(plan)
    for settings in dict.fromkeys(map(plan.tls_of, plan.cells)):
        contexts.of(settings)


def _raise_descriptor_limit(plan: Plan, embedded: bool) -> None:
    peak = plan.peak_connections  # each worker is a process of its own
    needed, wanted = descriptors.needed(peak, plan.processes, embedded), descriptors.wanted(peak)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        where = f" in each of {plan.processes} processes" if plan.processes > 1 else ""
        raise PlanError(
            f"{count(peak, 'connection')} at a time{where}: that takes {needed} file descriptors, "
            f"and the hard limit is {hard}; raise it with ulimit -Hn"
        )
    wanted = max(needed, wanted)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_source(text: str, peer: Endpoint) -> None:
    address = ipaddress.ip_address(text)
    there = peer.addresses or ((peer.host,) if is_ip_literal(peer.host) else ())
    if there and all(ipaddress.ip_address(one).version != address.version for one in there):
        raise PlanError(f"--source-ip {text} is an IPv{address.version} address, and {there[0]} is none")
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
