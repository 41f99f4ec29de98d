"""The header of the PROXY protocol, as a server reads it: where it ends, and which address it names. Bytes alone.

The specification: haproxy.org, doc/proxy-protocol.txt, of 2020-03-05.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from loadgen.wire.proxy.proxy_header import SIGNATURE

MAX_BYTES = 16 + (1 << 16)
_V1 = b"PROXY "
_V1_MAX_BYTES = 107  # §2.1
_FIXED_BYTES = 16  # of version 2, before its addresses (§2.2)
_ADDRESS_BYTES = {1: 4, 2: 16}  # AF_INET, AF_INET6


@dataclass(frozen=True, slots=True)
class ClientHeader:
    """One that was read."""

    version: int
    size: int
    """In bytes."""
    source: tuple[str, int] | None
    """The client's address and port; None where it names none."""


def read_header(data: bytes) -> ClientHeader | None:
    """The header that `data` begins with; None while it is incomplete. Raises ValueError where it begins with none."""
    if data[: len(SIGNATURE)] == SIGNATURE[: len(data)]:
        return _read_2(data)
    if data[: len(_V1)] == _V1[: len(data)]:
        return _read_1(data)
    raise ValueError("the connection does not begin with a header of the PROXY protocol")


def _read_1(data: bytes) -> ClientHeader | None:
    line, end, _ = data[:_V1_MAX_BYTES].partition(b"\r\n")
    if not end:
        if len(data) >= _V1_MAX_BYTES:
            raise ValueError("the line of a header of version 1 does not end")
        return None
    words = line.decode("ascii").split(" ")
    size = len(line) + len(end)
    if words[1:2] == ["UNKNOWN"]:
        return ClientHeader(1, size, None)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise ValueError("the line of a header of version 1 can't be read")
    source, destination = (ipaddress.ip_address(word) for word in words[2:4])
    if not source.version == destination.version == int(words[1][-1]):
        raise ValueError("an address of a header of version 1 is of another family")
    return ClientHeader(1, size, (str(source), int(words[4])))


def _read_2(data: bytes) -> ClientHeader | None:
    if len(data) < _FIXED_BYTES:
        return None
    command, kind, more = struct.unpack_from("!BBH", data, len(SIGNATURE))
    if command >> 4 != 2:
        raise ValueError("a header with the signature of version 2 is of another version")
    size = _FIXED_BYTES + more
    if len(data) < size:
        return None
    length = _ADDRESS_BYTES.get(kind >> 4)
    if not command & 1 or length is None:  # LOCAL, or no IP
        return ClientHeader(2, size, None)
    if more < 2 * length + 4:
        raise ValueError("a header of version 2 is too short for its addresses")
    source = ipaddress.ip_address(data[_FIXED_BYTES : _FIXED_BYTES + length])
    (port,) = struct.unpack_from("!H", data, _FIXED_BYTES + 2 * length)
    return ClientHeader(2, size, (str(source), port))
