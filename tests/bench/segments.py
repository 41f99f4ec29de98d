"""From captured packets to what the wire saw of each connection: its handshake, and each request with its response.

Pure: knows no socket. On loopback each segment is seen twice, on its way out and on its way in. The client's segments
are taken on their way out and the server's on their way in, as a capture on the client's network card would see them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.bench.capture import Packet

_ETHERNET_BYTES = 14
_PORTS_TO_FLAGS = struct.Struct("!HHIIBB")
_SYN = 0x02


class Segment(NamedTuple):
    """A TCP segment over IPv4."""

    stamp_ns: int
    outgoing: bool
    source: int
    destination: int
    sequence: int
    flags: int
    payload_bytes: int


class WireExchange(NamedTuple):
    """When the request's first segment left, and when the first one of its response came (ns)."""

    request_ns: int
    response_ns: int


@dataclass(slots=True)
class WireConnection:
    """One TCP connection as the wire saw it. Times in ns; None is what was not seen."""

    syn_ns: int
    syn_ack_ns: int | None = None
    exchanges: list[WireExchange] = field(default_factory=list)
    _asked_ns: int | None = None

    @property
    def connect_ns(self) -> int | None:
        return None if self.syn_ack_ns is None else self.syn_ack_ns - self.syn_ns

    def client_sent(self, stamp_ns: int) -> None:
        """The client sent bytes; more than one segment before a response are one request."""
        if self._asked_ns is None:
            self._asked_ns = stamp_ns

    def server_sent(self, stamp_ns: int) -> None:
        """The server sent bytes; only the first ones after a request begin a response."""
        if self._asked_ns is not None:
            self.exchanges.append(WireExchange(self._asked_ns, stamp_ns))
            self._asked_ns = None


def parse(packet: Packet) -> Segment:
    """Raises ValueError for what is no IPv4 TCP segment."""
    ip = packet.data[_ETHERNET_BYTES:]
    if len(ip) < 20 or ip[0] >> 4 != 4 or ip[9] != 6:
        raise ValueError("no TCP over IPv4")
    head_bytes = (ip[0] & 0xF) * 4
    total_bytes = int.from_bytes(ip[2:4], "big")
    if len(ip) < head_bytes + 20:
        raise ValueError("the TCP head is cut off")
    source, destination, sequence, _, offset, flags = _PORTS_TO_FLAGS.unpack_from(ip, head_bytes)
    payload_bytes = total_bytes - head_bytes - (offset >> 4) * 4
    return Segment(packet.stamp_ns, packet.outgoing, source, destination, sequence, flags, payload_bytes)


def connections(packets: Iterable[Packet], server_port: int) -> list[WireConnection]:
    """The connections of clients to `server_port`, in the order of their SYNs.

    Segments of a connection whose SYN was not seen are passed over. A port may be used again: a SYN begins another one.
    """
    found: list[WireConnection] = []
    of_port: dict[int, WireConnection] = {}
    for segment in map(parse, packets):
        from_client = segment.destination == server_port
        if from_client != segment.outgoing:
            continue
        port = segment.source if from_client else segment.destination
        if from_client and segment.flags & _SYN:
            of_port[port] = WireConnection(segment.stamp_ns)
            found.append(of_port[port])
            continue
        connection = of_port.get(port)
        if connection is None:
            continue
        if segment.flags & _SYN:
            connection.syn_ack_ns = segment.stamp_ns
        elif segment.payload_bytes:
            (connection.client_sent if from_client else connection.server_sent)(segment.stamp_ns)
    return found
