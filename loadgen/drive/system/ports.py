"""The local ports that a client has for one target, how long each connection keeps one, and whether they suffice.

Reads the kernel's settings and nothing else; knows no socket and no plan. A value that the kernel hides is None.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from pathlib import Path

SYSCTL = Path("/proc/sys/net/ipv4")
TIME_WAIT_S = 60.0  # TCP_TIMEWAIT_LEN of linux/include/net/tcp.h, no setting

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class PortSupply:
    """The ports that a client has for one target."""

    available: int | None
    """Ephemeral ports, once for each source address."""
    held_s: float = TIME_WAIT_S
    """How long a connection that the client closed first keeps its port."""
    max_time_wait: int | None = None
    """The kernel keeps no more TIME_WAIT sockets than that, and ends further ones at once."""


def port_supply(target_address: str, sources: tuple[str, ...] = ()) -> PortSupply:
    """The ports for a target at this IP address, from these source addresses (none: the one the kernel takes)."""
    available = _ephemeral_ports()
    if available is not None:
        available *= max(1, len(set(sources)))
    return PortSupply(available, _held_s(destination(target_address)), _setting("tcp_max_tw_buckets"))


def ports_needed(opened_per_s: float, held_s: float = TIME_WAIT_S) -> int:
    """The ports of a client that opens this many connections per second and closes each of them first."""
    return math.ceil(opened_per_s * held_s)


def port_forecast(name: str, opened_per_s: float, supply: PortSupply, for_s: float = TIME_WAIT_S) -> str | None:
    """One sentence where a policy's ports won't suffice, else None.

    opened_per_s: connections that the client will open and close first, on average over the next `for_s` seconds.
    """
    seconds = min(supply.held_s, for_s)
    needed = ports_needed(opened_per_s, seconds)
    if supply.max_time_wait is not None:
        needed = min(needed, supply.max_time_wait)
    if supply.available is None or needed <= supply.available:
        return None
    return (
        f"{name} at this rate ({opened_per_s:,.0f}/s) needs {needed:,} ports in {seconds:.3g} s, "
        f"{supply.available:,} are there; add --source-ip or reuse connections"
    )


def destination(text: str) -> Ip | None:
    """The address at the remote end of a connection to `text`; None where `text` is no address."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip.is_unspecified:  # Linux connects to itself then
        return ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    return ip


def _held_s(ip: Ip | None) -> float:
    """How long a TIME_WAIT socket of the client's keeps its port: net.ipv4.tcp_tw_reuse frees it early.

    It needs TCP timestamps on both sides (RFC 6191); the server is taken to use them.
    """
    reuse = _setting("tcp_tw_reuse")
    early = reuse == 1 or (reuse == 2 and ip is not None and ip.is_loopback)
    if not early or not _setting("tcp_timestamps"):
        return TIME_WAIT_S
    delay_ms = _setting("tcp_tw_reuse_delay")  # a setting since Linux 6.14
    return min(TIME_WAIT_S, 1.0 if delay_ms is None else delay_ms / 1000)


def _ephemeral_ports() -> int | None:
    """The number of ports that the kernel chooses from for one source address; None where it is hidden."""
    try:
        first, last = (int(port) for port in (SYSCTL / "ip_local_port_range").read_text("ascii").split())
    except (OSError, ValueError):
        return None
    return last - first + 1 - len(_reserved_ports() & set(range(first, last + 1)))


def _reserved_ports() -> set[int]:
    try:
        parts = (SYSCTL / "ip_local_reserved_ports").read_text("ascii").replace(",", " ").split()
        spans = [[int(port) for port in part.split("-")] for part in parts]
    except (OSError, ValueError):
        return set()
    return {port for span in spans for port in range(span[0], span[-1] + 1)}


def _setting(name: str) -> int | None:
    try:
        return int((SYSCTL / name).read_text("ascii"))
    except (OSError, ValueError):
        return None
