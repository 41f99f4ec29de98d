"""What the laboratory's relay reads of a frame, and which ones it drops."""

from __future__ import annotations

import socket

import pytest

from tests.support.laboratory.drops import Drop, Drops
from tests.support.laboratory.segments import Segment, addresses, segment

CLIENT, SERVER = ("10.77.0.1", 40001), ("10.77.1.1", 80)
SYN, SYN_ACK, ACK, PUSH_ACK = 0x02, 0x12, 0x10, 0x18


def frame(
    source: tuple[str, int],
    destination: tuple[str, int],
    flags: int,
    payload: bytes = b"",
    options: int = 12,
    protocol: int = 6,
) -> bytes:
    """An Ethernet frame with IPv4 or IPv6, and TCP. Checksums and what nobody reads here are zero; padded to 60."""
    tcp = source[1].to_bytes(2) + destination[1].to_bytes(2) + bytes(8) + bytes([(20 + options) * 4, flags]) + bytes(6)
    tcp += bytes(options) + payload
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    ends = socket.inet_pton(family, source[0]) + socket.inet_pton(family, destination[0])
    if family == socket.AF_INET6:
        packet = b"\x60\0\0\0" + len(tcp).to_bytes(2) + bytes([protocol, 64]) + ends + tcp
        return (bytes(12) + b"\x86\xdd" + packet).ljust(60, b"\0")
    packet = b"\x45\0" + (20 + len(tcp)).to_bytes(2) + bytes(4) + bytes([64, protocol]) + bytes(2) + ends + tcp
    return (bytes(12) + b"\x08\x00" + packet).ljust(60, b"\0")


@pytest.mark.parametrize(
    ("client", "server"), [(CLIENT, SERVER), (("fd77::1", 40001), ("fd77::2", 443))], ids=["IPv4", "IPv6"]
)
@pytest.mark.parametrize(
    ("flags", "payload", "kind"),
    [
        (SYN, b"", "syn"),
        (SYN_ACK, b"", "syn_ack"),
        (PUSH_ACK, b"GET", "data"),
        (ACK, b"", "other"),
        (0x11, b"", "other"),
    ],
)
def test_a_segment(client: tuple[str, int], server: tuple[str, int], flags: int, payload: bytes, kind: str) -> None:
    """Padding of short frames is no payload."""
    seen = frame(client, server, flags, payload)
    found = segment(seen)
    assert found is not None
    assert (found.kind, found.payload_bytes) == (kind, len(payload))
    assert (found.source_port, found.destination_port) == (client[1], server[1])
    assert (found.source, found.destination) == addresses(seen)


def test_what_is_no_segment() -> None:
    arp = (bytes(12) + b"\x08\x06").ljust(60, b"\0")
    assert (segment(arp), addresses(arp)) == (None, (b"", b""))
    datagram = frame(CLIENT, SERVER, 0, protocol=17)
    assert segment(datagram) is None
    assert addresses(datagram) == (socket.inet_aton(CLIENT[0]), socket.inet_aton(SERVER[0]))


def sent(port: int, flags: int, payload_bytes: int = 0, *, by_server: bool = False) -> tuple[str, Segment]:
    ends = (b"c", port, b"s", 80)
    source, source_port, destination, destination_port = (*ends[2:], *ends[:2]) if by_server else ends
    side = "server" if by_server else "client"
    return side, Segment(source, source_port, destination, destination_port, flags, payload_bytes)


def test_rules_count_connections_and_segments_of_their_kind() -> None:
    second_syn, third_answer = Drop("client", "syn", 1, 2), Drop("server", "data", 3, 1)
    drops = Drops([second_syn, third_answer])
    answer = sent(1001, PUSH_ACK, 9, by_server=True)
    told = [
        sent(1001, SYN),
        sent(1001, SYN_ACK, by_server=True),
        sent(1001, PUSH_ACK, 5),
        answer,
        sent(1001, ACK, by_server=True),
        answer,
        sent(1002, PUSH_ACK, 9, by_server=True),  # of a connection that began before the rules
        answer,
        answer,  # sent again
        sent(1003, SYN),
        sent(1003, SYN),
    ]
    assert [index for index, one in enumerate(told) if drops.takes(*one)] == [7, 9]
    assert drops.waiting == []


def test_a_rule_that_is_never_met_is_known() -> None:
    rule = Drop("client", "data", 2, 1)
    drops = Drops([rule])
    assert not drops.takes(*sent(1001, SYN))
    assert not drops.takes(*sent(1001, PUSH_ACK, 5))
    assert drops.waiting == [rule]
