"""Captures made by hand: TCP segments as packets of a pcap file. Knows nothing of who reads it."""

from __future__ import annotations

import struct

CLIENT, SERVER = (bytes((127, 0, 0, 1)), 40_000), (bytes((127, 0, 0, 2)), 80)
ETHERNET = bytes(12) + b"\x08\x00"
ACK, SYN, FIN = 0x10, 0x02, 0x01
US = 1_000
NS, MICRO = 0xA1B23C4D, 0xA1B2C3D4


def ipv4(
    source: tuple[bytes, int], destination: tuple[bytes, int], sequence: int, flags: int, payload: bytes, size: int
) -> bytes:
    """An IPv4 packet whose payload has `size` bytes, of which `payload` are at hand."""
    tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], sequence, 0, 8 << 4, flags, 65535, 0, 0) + bytes(12)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + size, 0, 0x4000, 64, 6, 0, source[0], destination[0])
    return head + tcp + payload


def ipv6(source_port: int, destination_port: int, sequence: int, flags: int, payload: bytes) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, 0, 5 << 4, flags, 65535, 0, 0)
    return struct.pack("!IHBB16s16s", 6 << 28, len(tcp) + len(payload), 6, 64, bytes(16), bytes(16)) + tcp + payload


def pcap(packets: list[tuple[int, bytes]], *, magic: int = NS, order: str = "<", link: int = 1) -> bytes:
    """A file of packets with their times (ns)."""
    unit = 1 if magic == NS else 1_000
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link)]
    for time_ns, packet in packets:
        seconds, rest_ns = divmod(time_ns, 1_000_000_000)
        parts.append(struct.pack(order + "IIII", seconds, rest_ns // unit, len(packet), len(packet)) + packet)
    return b"".join(parts)


class Talk:
    """One connection's packets, in order; `client` and `server` send bytes at a time (ns)."""

    def __init__(self, at_ns: int = 0, client_sequence: int = 1000, port: int = CLIENT[1]) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self._ends = {"client": (CLIENT[0], port), "server": SERVER}
        self._next = {"client": client_sequence, "server": 5000}
        self.at_ns = at_ns

    def send(self, side: str, at_ns: int, payload: bytes = b"", flags: int = ACK, size: int | None = None) -> Talk:
        other = "server" if side == "client" else "client"
        length = len(payload) if size is None else size
        self._packet(side, other, at_ns, self._next[side], payload, flags, length)
        self._next[side] = (self._next[side] + length + bool(flags & (SYN | FIN))) % (1 << 32)
        return self

    def again(self, side: str, at_ns: int, payload: bytes = b"", flags: int = ACK) -> Talk:
        """The last segment of this side once more."""
        other = "server" if side == "client" else "client"
        sequence = (self._next[side] - len(payload) - bool(flags & (SYN | FIN))) % (1 << 32)
        self._packet(side, other, at_ns, sequence, payload, flags, len(payload))
        return self

    def open(self, syn_ack_ns: int = 40 * US) -> Talk:
        return self.send("client", 0, flags=SYN).send("server", syn_ack_ns, flags=SYN | ACK).send("client", syn_ack_ns)

    def _packet(self, side: str, other: str, at_ns: int, sequence: int, payload: bytes, flags: int, size: int) -> None:
        packet = ipv4(self._ends[side], self._ends[other], sequence, flags, payload, size)
        self.packets.append((self.at_ns + at_ns, ETHERNET + packet))


def record(kind: int, size: int, beginning: bytes = b"") -> bytes:
    """A TLS record (RFC 8446 §5.1) of `size` bytes behind its head."""
    return bytes((kind, 3, 3)) + size.to_bytes(2, "big") + beginning.ljust(size, b"\0")
