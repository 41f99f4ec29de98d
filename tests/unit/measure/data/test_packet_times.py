"""Connections of captures made by hand: what the wire saw of handshakes, exchanges and retransmissions."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.data.packet_errors import CONNECT, SEND_WAIT, TLS, packet_errors, wall_clock_offset_ns
from loadgen.measure.data.packet_times import PacketConnection, PacketExchange, packet_times
from loadgen.measure.data.pcap import read_pcap
from loadgen.measure.data.rows import Samples
from loadgen.model.records import COLUMNS
from tests.support.packets import ACK, FIN, SERVER, SYN, US, Talk, pcap, record

HELLO = record(22, 300, b"\x01" + (296).to_bytes(3, "big"))
CIPHER, FINISHED_12, DATA = record(20, 1), record(22, 40), record(23, 53)


def times(*talks: Talk) -> list[PacketConnection]:
    packets = sorted((packet for talk in talks for packet in talk.packets), key=lambda one: one[0])
    return packet_times(read_pcap(pcap(packets)), SERVER[1])


def test_a_connection_in_clear_with_two_exchanges() -> None:
    talk = Talk(at_ns=7_000).open(40 * US)
    talk.send("client", 50 * US, b"GET").send("client", 55 * US, b"more").send("server", 90 * US, b"HTTP")
    talk.send("server", 95 * US, b"body").send("client", 200 * US, b"GET").send("server", 260 * US, b"HTTP")
    talk.send("client", 300 * US, flags=FIN | ACK).send("server", 310 * US, flags=FIN | ACK)
    (found,) = times(talk)
    assert (found.syn_ns, found.connect_ns, found.tls_ns, found.retransmits) == (7_000, 40 * US, None, 0)
    assert found.exchanges == [
        PacketExchange(7_000 + 50 * US, 7_000 + 90 * US, 7_000 + 95 * US),
        PacketExchange(7_000 + 200 * US, 7_000 + 260 * US, 7_000 + 260 * US),
    ]


@pytest.mark.parametrize(
    ("flights", "tls_ns", "request_ns"),
    [
        # TLS 1.3: Finished looks like application data, and the request is the next such record.
        ([("client", HELLO), ("server", DATA), ("client", CIPHER + DATA), ("client", DATA)], 20, 30),
        ([("client", HELLO), ("server", DATA), ("client", CIPHER + DATA + DATA)], 20, 20),
        # With a second ClientHello (RFC 8446 §4.1.4).
        ([("client", HELLO), ("server", DATA), ("client", CIPHER + HELLO), ("server", DATA), ("client", DATA),
          ("client", DATA)], 40, 50),
        # TLS 1.2, full: the server's Finished comes last; resumed: the client's.
        ([("client", HELLO), ("server", HELLO), ("client", HELLO + CIPHER + FINISHED_12),
          ("server", CIPHER + FINISHED_12), ("client", DATA)], 30, 40),
        ([("client", HELLO), ("server", HELLO + CIPHER + FINISHED_12), ("client", CIPHER + FINISHED_12),
          ("client", DATA)], 20, 30),
        # A ClientHello of two segments, and records whose rest the capture did not keep.
        ([("client", HELLO[:200]), ("client", HELLO[200:]), ("server", DATA), ("client", CIPHER + DATA),
          ("client", DATA)], 30, 40),
    ],
)  # fmt: skip
def test_tls_handshakes(flights: list[tuple[str, bytes]], tls_ns: int, request_ns: int) -> None:
    talk = Talk().open(5)
    for number, (side, payload) in enumerate(flights):
        talk.send(side, 100 + 10 * number, payload)
    (found,) = times(talk)
    assert found.hello_ns == 100
    assert found.tls_ns == tls_ns
    assert [one.request_ns for one in found.exchanges] == [100 + request_ns]


def test_retransmissions_are_counted_and_move_no_time() -> None:
    talk = Talk(client_sequence=(1 << 32) - 2)  # sequence numbers wrap
    talk.send("client", 0, flags=SYN).again("client", 1_000_000 * US, flags=SYN)
    talk.send("server", 1_000_040 * US, flags=SYN | ACK)
    talk.send("client", 1_000_050 * US, b"GET /").again("client", 1_000_090 * US, b"GET /")
    talk.send("server", 1_000_100 * US, b"HTTP").again("server", 1_000_120 * US, b"HTTP")
    (found,) = times(talk)
    assert (found.retransmits, found.syn_retransmits) == (3, 1)
    assert found.connect_ns == 1_000_040 * US
    assert found.exchanges == [PacketExchange(1_000_050 * US, 1_000_100 * US, 1_000_100 * US)]


def test_a_port_that_is_used_again_is_another_connection_and_one_without_syn_is_none() -> None:
    first, second = Talk().open(3), Talk(at_ns=9_000, client_sequence=77).open(4)
    stray = Talk(at_ns=20_000, port=41_000).send("client", 0, b"GET").send("server", 1, b"HTTP", ACK)
    assert [one.connect_ns for one in times(first, second, stray)] == [3, 4]


def samples_of(rows: list[dict[str, int]]) -> Samples:
    columns = {name: np.array([row.get(name, -1) for row in rows], np.int64) for name in COLUMNS}
    return Samples(("close",), columns, [])


def test_each_sample_finds_its_own_packets() -> None:
    """Two users whose connections overlap, a reused connection, a failed request, and one that no packet belongs to."""
    first = Talk(at_ns=1_000_000).open(40 * US).send("client", 70 * US, b"GET").send("server", 170 * US, b"HTTP")
    first.send("client", 500 * US, b"GET").send("server", 590 * US, b"HTTP")
    second = Talk(at_ns=1_020_000, port=41_000).open(45 * US)
    second.send("client", 80 * US, HELLO).send("server", 90 * US, DATA).send("client", 110 * US, CIPHER + DATA)
    second.send("client", 130 * US, DATA).send("server", 230 * US, DATA)
    offset_ns = 400_000
    at = {"scheduled": 590_000, "queue": -1, "nth_on_connection": 0, "tls": -1, "send": 10 * US, "status": 200}
    rows = [
        at | {"connect": 50 * US, "wait": 97 * US},
        at | {"scheduled": 600_000, "queue": 15_000, "connect": 60 * US, "tls": 33 * US, "wait": 110 * US},
        at | {"scheduled": 1_090_000, "nth_on_connection": 1, "connect": -1, "wait": 90 * US},
        at | {"scheduled": 600_001, "error": 3},
        at | {"scheduled": 90_000_000},
    ]
    found = packet_errors(samples_of(rows), times(first, second), offset_ns)
    assert {name: errors.tolist() for name, errors in found.by_phase.items()} == {
        CONNECT: [10 * US, 15 * US],
        TLS: [3 * US],
        SEND_WAIT: [7 * US, 20 * US, 10 * US],
    }
    assert (found.matched, found.unmatched) == (3, 1)


def test_the_offset_of_the_clocks_is_steady() -> None:
    assert abs(wall_clock_offset_ns() - wall_clock_offset_ns()) < 1_000_000
