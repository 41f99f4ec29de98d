"""Capture files of each kind that tcpdump writes, whole and cut off anywhere."""

from __future__ import annotations

import struct

import pytest

from loadgen.measure.data.pcap import ACK, SYN, read_pcap
from tests.support.packets import CLIENT, ETHERNET, MICRO, NS, SERVER, Talk, ipv4, ipv6, pcap

AT_NS = 1_700_000_000_123_456_000
PACKET = ipv4(CLIENT, SERVER, 7, SYN | ACK, b"hello", 5)
LINKS = {0: bytes(4), 1: ETHERNET, 101: b"", 108: bytes(4), 113: bytes(14) + b"\x08\x00", 276: b"\x08\x00" + bytes(18)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [NS, MICRO])
def test_each_byte_order_and_resolution(order: str, magic: int) -> None:
    (found,) = read_pcap(pcap([(AT_NS, ETHERNET + PACKET)], magic=magic, order=order))
    assert found == (AT_NS, CLIENT, SERVER, 7, SYN | ACK, 5, b"hello")


@pytest.mark.parametrize("link", LINKS)
def test_each_kind_of_link(link: int) -> None:
    (found,) = read_pcap(pcap([(AT_NS, LINKS[link] + PACKET)], link=link))
    assert (found.source, found.destination, found.payload) == (CLIENT, SERVER, b"hello")


def test_a_frame_may_have_a_vlan_and_padding() -> None:
    frame = bytes(12) + b"\x81\x00\x00\x07" + b"\x08\x00" + PACKET + bytes(9)
    (found,) = read_pcap(pcap([(AT_NS, frame)]))
    assert (found.payload_bytes, found.payload) == (5, b"hello")


def test_ipv6() -> None:
    (found,) = read_pcap(pcap([(1, bytes(12) + b"\x86\xdd" + ipv6(9, 80, 3, ACK, b"abc"))]))
    assert (found.source, found.destination[1], found.payload_bytes, found.payload) == ((bytes(16), 9), 80, 3, b"abc")


def test_what_is_no_whole_tcp_segment_is_left_out() -> None:
    udp = bytearray(PACKET)
    udp[9] = 17
    fragment = bytearray(PACKET)
    fragment[6:8] = b"\x00\x10"
    others = [b"", ETHERNET, ETHERNET + bytes(udp), ETHERNET + bytes(fragment), ETHERNET + PACKET[:30]]
    others.append(bytes(12) + b"\x08\x06" + bytes(28))  # ARP
    assert read_pcap(pcap([(1, one) for one in others])) == []


def test_a_snapshot_length_keeps_the_true_size() -> None:
    (found,) = read_pcap(pcap(Talk().send("client", 0, b"GET", size=900).packets))
    assert (found.payload_bytes, found.payload) == (900, b"GET")


def test_a_capture_that_was_cut_off_is_read_up_to_there() -> None:
    whole = pcap([(1, ETHERNET + PACKET), (2, ETHERNET + PACKET)])
    one = len(whole) - 16 - len(ETHERNET + PACKET)
    for size in range(24, len(whole) + 1):
        assert len(read_pcap(whole[:size])) == (size >= one) + (size == len(whole))


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a" + bytes(40), b"hello" * 9])
def test_what_is_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no pcap file"):
        read_pcap(data)


def test_an_unknown_link_is_refused() -> None:
    with pytest.raises(ValueError, match="147"):
        read_pcap(pcap([], link=147))


def test_an_absurd_length_ends_the_capture() -> None:
    data = pcap([(1, ETHERNET + PACKET)]) + struct.pack("<IIII", 0, 0, 1 << 31, 1 << 31) + bytes(100)
    assert len(read_pcap(data)) == 1
