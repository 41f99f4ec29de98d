"""Headers of the PROXY protocol, as clients write and the embedded target reads them."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.target.header_reading import ClientHeader, read_header
from loadgen.wire import poller
from loadgen.wire.proxy.announced import AnnouncedTcpTransport
from loadgen.wire.proxy.proxy_header import SIGNATURE, proxy_header
from loadgen.wire.transport import Step
from tests.support.transports import accept, address_of, ignore, listening, wait

FOUR = ("192.0.2.1", 56324), ("198.51.100.2", 443)
SIX = ("2001:db8::1", 56324, 0, 0), ("2001:db8::2", 443, 0, 0)


def test_version_1_as_the_specification_writes_it() -> None:
    assert proxy_header(1, socket.AF_INET, *FOUR) == b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
    assert proxy_header(1, socket.AF_INET6, *SIX) == b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"
    assert proxy_header(1, socket.AF_UNIX, ("",), ("/s",)) == b"PROXY UNKNOWN\r\n"


def test_version_2_byte_by_byte() -> None:
    tail = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (56324).to_bytes(2, "big") + (443).to_bytes(2, "big")
    assert proxy_header(2, socket.AF_INET, *FOUR) == SIGNATURE + b"\x21\x11\x00\x0c" + tail
    assert proxy_header(2, socket.AF_INET6, *SIX)[:16] == SIGNATURE + b"\x21\x21\x00\x24"
    assert proxy_header(2, socket.AF_UNIX, ("",), ("/s",)) == SIGNATURE + b"\x21\x00\x00\x00"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("family", "ends"), [(socket.AF_INET, FOUR), (socket.AF_INET6, SIX)])
def test_what_is_written_is_read_in_any_pieces(version: int, family: int, ends: Any) -> None:
    header = proxy_header(version, family, *ends)
    for size in range(1, len(header)):
        assert read_header(header[:size]) is None
    assert read_header(header + b"GET") == ClientHeader(version, len(header), ends[0][:2])


@pytest.mark.parametrize(
    ("data", "source"),
    [
        (b"PROXY UNKNOWN ffff::1 ::1 1 2\r\nG", None),
        (SIGNATURE + b"\x20\x00\x00\x02ab" + b"G", None),  # LOCAL, with something to skip
        (SIGNATURE + b"\x21\x11\x00\x0f" + bytes([1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 8]) + b"tlv" + b"G", ("1.2.3.4", 9)),
    ],
)
def test_forms_that_loadgen_does_not_write(data: bytes, source: tuple[str, int] | None) -> None:
    header = read_header(data)
    assert header is not None
    assert (header.size, header.source) == (len(data) - 1, source)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: SIGNATURE + data))
def test_whatever_comes_is_a_header_or_none(data: bytes) -> None:
    try:
        header = read_header(data)
    except ValueError:
        return
    assert header is None or header.size <= len(data)


def test_a_connection_begins_with_its_own_addresses() -> None:
    with listening() as listener:
        client = AnnouncedTcpTransport(poller.of_hub(), 1)
        client.connect(address_of(listener), ignore)
        wait(client, Step.WANT_WRITE)
        with accept(listener) as peer:
            assert client.establish() is Step.OPEN
            host, port = peer.getpeername()
            peer.setblocking(True)
            assert peer.recv(200) == f"PROXY TCP4 {host} 127.0.0.1 {port} {listener.getsockname()[1]}\r\n".encode()
            client.close()
