"""The header of the PROXY protocol, by which a connection begins that says whose it is. Bytes alone: knows no socket.

The specification: haproxy.org, doc/proxy-protocol.txt, of 2020-03-05.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import Any

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""How a header of version 2 begins (§2.2)."""
_PROXY_2 = 0x21  # version 2, command PROXY
_UNSPECIFIED, _TCP_4, _TCP_6 = 0x00, 0x11, 0x21


def proxy_header(version: int, family: int, source: tuple[Any, ...], destination: tuple[Any, ...]) -> bytes:
    """The header of a connection between these addresses, as the socket itself has them.

    Of another family than IP, such as a socket file, it names no address: the receiver takes those of the connection.
    """
    if family not in (socket.AF_INET, socket.AF_INET6):
        return b"PROXY UNKNOWN\r\n" if version == 1 else SIGNATURE + struct.pack("!BBH", _PROXY_2, _UNSPECIFIED, 0)
    # The scope, as in fe80::1%eth0, means something on this machine alone.
    hosts = [ipaddress.ip_address(f"{one[0]}".partition("%")[0]) for one in (source, destination)]
    ports = source[1], destination[1]
    if version == 1:
        name = "TCP4" if family == socket.AF_INET else "TCP6"
        return f"PROXY {name} {hosts[0]} {hosts[1]} {ports[0]} {ports[1]}\r\n".encode("ascii")
    addresses = hosts[0].packed + hosts[1].packed + struct.pack("!HH", *ports)
    kind = _TCP_4 if family == socket.AF_INET else _TCP_6
    return SIGNATURE + struct.pack("!BBH", _PROXY_2, kind, len(addresses)) + addresses
