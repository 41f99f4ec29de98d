"""Reads a capture file (pcap) into TCP segments. Takes bytes, and knows neither sockets nor what a connection is.

The file is what `tcpdump -w` writes, of one interface: Ethernet, loopback, "cooked" (`-i any`) or raw IP, with
micro- or nanoseconds, in either byte order. Format: draft-ietf-opsawg-pcap, and tcpdump.org/linktypes.html.
A capture that was cut off in the middle of a packet, as by a kill, is read up to there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""Flags of a segment (RFC 9293 §3.1)."""

_HEAD_BYTES = 24
_PACKET_HEAD_BYTES = 16
# The magic number as it lies in the file: byte order, and nanoseconds of one unit of the fraction.
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_NULL, _ETHERNET, _RAW, _LOOP, _COOKED, _COOKED_2 = 0, 1, 101, 108, 113, 276
# Bytes before the IP head, and where among them the EtherType lies, if there is one.
_LINKS = {
    _NULL: (4, None),
    _ETHERNET: (14, 12),
    _RAW: (0, None),
    _LOOP: (4, None),
    _COOKED: (16, 14),
    _COOKED_2: (20, 0),
}
_VLAN = (b"\x81\x00", b"\x88\xa8")
_TCP = 6
_TCP_HEAD = struct.Struct("!HHIIBBH")
_MIN_TCP_BYTES = 20
_MAX_PACKET_BYTES = 1 << 18  # tcpdump's own limit


class Segment(NamedTuple):
    """One TCP segment, as the capture saw it."""

    time_ns: int
    """Of the wall clock of the capturing machine."""
    source: tuple[bytes, int]
    """Address, as 4 or 16 bytes, and port."""
    destination: tuple[bytes, int]
    sequence: int
    flags: int
    payload_bytes: int
    """Length of the payload, also where the capture did not keep all of it."""
    payload: bytes
    """As much of it as was captured."""


def read_pcap(data: bytes) -> list[Segment]:
    """All TCP segments of the capture, in its order; other packets, and fragments, are left out.

    Raises ValueError, with one line for people, where it is no pcap file or of an unknown kind of link.
    """
    found = _MAGIC.get(data[:4])
    if found is None or len(data) < _HEAD_BYTES:
        raise ValueError("it is no pcap file; write it with tcpdump -w")
    order, unit_ns = found
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    if link not in _LINKS:
        raise ValueError(f"it is of a link type that can't be read: {link}")
    packets = _packets(data, order, unit_ns)
    return [segment for time_ns, packet in packets if (segment := _segment(time_ns, packet, link)) is not None]


def _packets(data: bytes, order: str, unit_ns: int) -> Iterator[tuple[int, bytes]]:
    head = struct.Struct(order + "IIII")
    offset = _HEAD_BYTES
    while offset + _PACKET_HEAD_BYTES <= len(data):
        seconds, fraction, size, _ = head.unpack_from(data, offset)
        offset += _PACKET_HEAD_BYTES
        if size > _MAX_PACKET_BYTES or offset + size > len(data):
            return  # cut off here
        yield seconds * 1_000_000_000 + fraction * unit_ns, data[offset : offset + size]
        offset += size


def _segment(time_ns: int, packet: bytes, link: int) -> Segment | None:
    start, type_at = _LINKS[link]
    if type_at is not None:
        while packet[type_at : type_at + 2] in _VLAN and link == _ETHERNET:
            type_at, start = type_at + 4, start + 4
    ip = packet[start:]
    version = ip[0] >> 4 if ip else 0
    if version == 4:
        return _of_ipv4(time_ns, ip)
    return _of_ipv6(time_ns, ip) if version == 6 else None


def _of_ipv4(time_ns: int, ip: bytes) -> Segment | None:
    if len(ip) < 20 or ip[9] != _TCP or int.from_bytes(ip[6:8], "big") & 0x3FFF:  # a fragment
        return None
    head_bytes = (ip[0] & 0xF) * 4
    # A segment that the kernel has still to cut (offload) may be longer than the field can say, which is then 0.
    length = int.from_bytes(ip[2:4], "big") or len(ip)
    return _of_tcp(time_ns, ip[12:16], ip[16:20], ip[head_bytes:], length - head_bytes)


def _of_ipv6(time_ns: int, ip: bytes) -> Segment | None:
    if len(ip) < 40 or ip[6] != _TCP:  # with extension heads, which TCP has none of in practice
        return None
    length = int.from_bytes(ip[4:6], "big") or len(ip) - 40
    return _of_tcp(time_ns, ip[8:24], ip[24:40], ip[40:], length)


def _of_tcp(time_ns: int, source: bytes, destination: bytes, tcp: bytes, length: int) -> Segment | None:
    """length: of head and payload, as the IP head says; frames have padding behind that."""
    if len(tcp) < _MIN_TCP_BYTES:
        return None
    from_port, to_port, sequence, _, offset, flags, _ = _TCP_HEAD.unpack_from(tcp)
    head_bytes = (offset >> 4) * 4
    size = length - head_bytes
    if head_bytes < _MIN_TCP_BYTES or size < 0:
        return None
    payload = tcp[head_bytes : head_bytes + size]
    return Segment(time_ns, (source, from_port), (destination, to_port), sequence, flags, size, payload)
