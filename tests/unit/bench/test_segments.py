"""Captured frames become connections with their exchanges."""

from __future__ import annotations

import struct

import pytest

from tests.bench.capture import Packet, port_filter
from tests.bench.segments import WireExchange, connections, parse

SERVER, CLIENT = 8080, 50000
SYN, ACK, FIN = 0x02, 0x10, 0x01


def frame(
    source: int, destination: int, flags: int, payload: bytes = b"", ip_options: int = 0, kept: int = 128
) -> bytes:
    """An Ethernet frame as the loopback interface has it, cut off as the capture does."""
    tcp_options = b"\x01" * 12
    tcp = struct.pack("!HHIIBBHHH", source, destination, 7, 9, (20 + len(tcp_options)) // 4 << 4, flags, 512, 0, 0)
    tcp += tcp_options + payload
    head_bytes = 20 + 4 * ip_options
    address = bytes([127, 0, 0, 1])
    ip = struct.pack(
        "!BBHHHBBH4s4s", 0x40 | head_bytes // 4, 0, head_bytes + len(tcp), 1, 0, 64, 6, 0, address, address
    )
    return (bytes(12) + b"\x08\x00" + ip + b"\x00" * (4 * ip_options) + tcp)[:kept]


def sent(stamp_ns: int, source: int, destination: int, flags: int, payload: bytes = b"") -> list[Packet]:
    """A segment on loopback: on its way out, and 1 µs later on its way in."""
    data = frame(source, destination, flags, payload)
    return [Packet(stamp_ns, True, data), Packet(stamp_ns + 1_000, False, data)]


def by_client(stamp_ns: int, flags: int, payload: bytes = b"", port: int = CLIENT) -> list[Packet]:
    return sent(stamp_ns, port, SERVER, flags, payload)


def by_server(stamp_ns: int, flags: int, payload: bytes = b"", port: int = CLIENT) -> list[Packet]:
    return sent(stamp_ns, SERVER, port, flags, payload)


@pytest.mark.parametrize("ip_options", [0, 3])
def test_a_segment_is_parsed(ip_options: int) -> None:
    payload = b"GET / HTTP/1.1\r\n\r\n" + b"x" * 500
    segment = parse(Packet(5, True, frame(CLIENT, SERVER, ACK, payload, ip_options)))
    assert (segment.source, segment.destination, segment.flags) == (CLIENT, SERVER, ACK)
    assert segment.payload_bytes == len(payload)  # by the lengths in the heads: the capture keeps only the beginning


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(14),
        frame(1, 2, ACK, kept=40),
        frame(1, 2, ACK)[:14] + b"\x60" + bytes(60),
        bytes(14) + b"\x45" + bytes(60),
    ],
    ids=["empty", "only Ethernet", "cut off", "IPv6", "not TCP"],
)
def test_what_is_no_segment_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="TCP"):
        parse(Packet(0, True, data))


def test_a_connection_has_its_handshake_and_its_exchanges() -> None:
    packets = [
        *by_client(10_000, SYN),
        *by_server(12_000, SYN | ACK),
        *by_client(14_000, ACK),
        *by_client(20_000, ACK, b"GET"),
        *by_server(30_000, ACK),  # an acknowledgement alone is no response
        *by_server(50_000, ACK, b"HTTP/1.1 200"),
        *by_server(55_000, ACK, b"more of it"),
        *by_client(90_000, ACK, b"GET"),
        *by_server(95_000, ACK, b"HTTP/1.1 200"),
        *by_client(99_000, FIN | ACK),
    ]
    (connection,) = connections(packets, SERVER)
    # The client's are taken on their way out, the server's on their way in.
    assert (connection.syn_ns, connection.syn_ack_ns, connection.connect_ns) == (10_000, 13_000, 3_000)
    assert connection.exchanges == [WireExchange(20_000, 51_000), WireExchange(90_000, 96_000)]


def test_a_request_in_two_segments_is_one() -> None:
    packets = [
        *by_client(0, SYN),
        *by_client(10_000, ACK, b"POST"),
        *by_client(11_000, ACK, b"body"),
        *by_server(20_000, ACK, b"HTTP/1.1 200"),
    ]
    assert connections(packets, SERVER)[0].exchanges == [WireExchange(10_000, 21_000)]


def test_a_port_that_is_used_again_is_another_connection() -> None:
    packets = [
        packet for begun in (0, 100_000) for packet in (*by_client(begun, SYN), *by_server(begun + 5_000, SYN | ACK))
    ]
    assert [one.connect_ns for one in connections(packets, SERVER)] == [6_000, 6_000]


def test_connections_are_kept_apart_and_unknown_ones_passed_over() -> None:
    packets = [
        *by_client(0, ACK, b"GET", port=40_000),  # opened before the capture
        *by_client(10, SYN, port=40_001),
        *by_client(20, SYN, port=40_002),
        *by_client(30, ACK, b"GET", port=40_002),
        *by_client(40, ACK, b"GET", port=40_001),
        *by_server(50, ACK, b"HTTP", port=40_001),
        *by_server(60, ACK, b"HTTP", port=40_002),
    ]
    found = connections(packets, SERVER)
    assert [one.exchanges for one in found] == [[WireExchange(40, 1_050)], [WireExchange(30, 1_060)]]
    assert [one.connect_ns for one in found] == [None, None]


def run_filter(port: int, data: bytes) -> int:
    """What the kernel would keep of a frame: an interpreter for the instructions that the filter uses."""
    program = port_filter(port)
    accumulator = index = at = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case 0x28:
                accumulator = int.from_bytes(data[operand : operand + 2], "big")
            case 0x48:
                accumulator = int.from_bytes(data[index + operand : index + operand + 2], "big")
            case 0x30:
                accumulator = data[operand]
            case 0xB1:
                index = 4 * (data[operand] & 0xF)
            case 0x15:
                at += if_true if accumulator == operand else if_false
            case 0x06:
                return operand


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (frame(CLIENT, SERVER, ACK), 128),
        (frame(SERVER, CLIENT, ACK), 128),
        (frame(SERVER, CLIENT, ACK, ip_options=4), 128),
        (frame(CLIENT, CLIENT, ACK), 0),
        (frame(SERVER, CLIENT, ACK).replace(b"\x08\x00\x45", b"\x86\xdd\x45"), 0),
        (bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x11" + bytes(60), 0),
    ],
    ids=["to the port", "from the port", "IP options", "another port", "IPv6", "UDP"],
)
def test_the_filter_passes_the_port_alone(data: bytes, kept: int) -> None:
    assert run_filter(SERVER, data) == kept
