"""What the kernel knows of a connection's times: the first round trip, and when bytes arrived, which costs no byte."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from loadgen.model.records import ABSENT
from loadgen.wire import poller
from loadgen.wire.transport import TcpTransport
from tests.support.transports import address_of, connected, establish, ignore, listening, receive, wait

PATIENCE_S = 10


@pytest.fixture
def stamping() -> Iterator[TcpTransport]:
    """A transport whose bytes are stamped, and which keeps the kernel stamping.

    The kernel begins to stamp some time after the first socket has asked for it.
    """
    with connected(stamps=True) as (client, peer):
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            peer.send(b"x")
            wait(client)
            found = client.arrival_ns()
            assert client.receive() == 1
            if found != ABSENT:
                break
        yield client


@pytest.mark.usefixtures("stamping")
def test_the_kernel_says_when_the_first_unread_byte_came() -> None:
    with connected(stamps=True) as (client, peer):
        assert client.arrival_ns() == ABSENT  # nothing has come
        begun_ns = time.monotonic_ns()
        peer.send(b"first")
        wait(client)
        ended_ns = time.monotonic_ns()
        peer.send(b"second")
        found = [client.arrival_ns() for _ in range(3)]
        # It is taken by the wall clock and told by the monotonic one, which are read one after the other.
        assert all(begun_ns - 1_000_000 < one < ended_ns + 1_000_000 for one in found)
        assert max(found) - min(found) < 1_000_000
        assert receive(client, 11) == b"firstsecond"  # nothing of it was read
        peer.shutdown(socket.SHUT_WR)
        wait(client)
        assert client.arrival_ns() == ABSENT  # an end is no byte


@pytest.mark.usefixtures("stamping")
def test_a_stamp_that_may_be_the_end_s_is_none() -> None:
    """The kernel joins the closing segment with the data before it, and keeps its stamp."""
    with connected(stamps=True) as (client, peer):
        peer.send(b"last")
        wait(client)
        assert client.arrival_ns() != ABSENT
        peer.shutdown(socket.SHUT_WR)
        while client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x08":  # CLOSE_WAIT
            pass
        assert client.arrival_ns() == ABSENT
        assert receive(client, 4) == b"last"


@pytest.mark.usefixtures("stamping")
def test_without_being_asked_for_there_is_no_stamp() -> None:
    with connected() as (client, peer):
        peer.send(b"x")
        wait(client)
        assert client.arrival_ns() == ABSENT
        assert receive(client, 1) == b"x"


def test_the_first_round_trip_is_a_part_of_connecting() -> None:
    with listening() as listener:
        client = TcpTransport(poller.of_hub())
        begun_ns = client.connect(address_of(listener), ignore)
        establish(client)
        took_ns = time.monotonic_ns() - begun_ns
        assert 0 < client.first_rtt_ns() <= took_ns + 1000  # the kernel gives whole microseconds
        client.close()
