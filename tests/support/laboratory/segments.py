"""A TCP segment, read from its Ethernet frame. Reads headers only, and no options."""

from __future__ import annotations

from typing import NamedTuple

_FIN, _SYN, _ACK = 0x01, 0x02, 0x10
_TCP = 6


class Segment(NamedTuple):
    """What a rule may ask of a segment. Addresses are packed; payload_bytes: its length."""

    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    flags: int
    payload_bytes: int

    @property
    def kind(self) -> str:
        """`syn`, `syn_ack`, `data`, or `other`: an acknowledgement, FIN or RST without data."""
        if self.flags & _SYN:
            return "syn_ack" if self.flags & _ACK else "syn"
        return "data" if self.payload_bytes else "other"


def addresses(frame: bytes) -> tuple[bytes, bytes]:
    """The packed addresses of source and destination; both empty where the frame has no IP packet."""
    if frame[12:14] == b"\x08\x00":
        return frame[26:30], frame[30:34]
    if frame[12:14] == b"\x86\xdd":
        return frame[22:38], frame[38:54]
    return b"", b""


def segment(frame: bytes) -> Segment | None:
    """The TCP segment in this frame; None where there is none, or a header before it that is not read here."""
    if frame[12:14] == b"\x08\x00":
        protocol, tcp = frame[23], 14 + 4 * (frame[14] & 0x0F)
        end = 14 + int.from_bytes(frame[16:18])
    elif frame[12:14] == b"\x86\xdd":
        protocol, tcp = frame[20], 54
        end = 54 + int.from_bytes(frame[18:20])
    else:
        return None
    if protocol != _TCP:
        return None
    source, destination = addresses(frame)
    payload = tcp + 4 * (frame[tcp + 12] >> 4)
    ports = int.from_bytes(frame[tcp : tcp + 2]), int.from_bytes(frame[tcp + 2 : tcp + 4])
    return Segment(source, ports[0], destination, ports[1], frame[tcp + 13], end - payload)
