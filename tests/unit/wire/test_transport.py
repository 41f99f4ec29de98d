"""Plain TCP over loopback: it opens without blocking, calls back when there is something, and closes for good."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from pathlib import Path

import gevent
import pytest
from gevent.event import AsyncResult

from loadgen.model.policy import parse_policy
from loadgen.model.records import ABSENT
from loadgen.wire import poller
from loadgen.wire.syscalls import socket_file
from loadgen.wire.transport import NOTHING, READ, WOULD_BLOCK, WRITE, SocketAddress, Step, TcpTransport
from tests.support.transports import accept, address_of, connected, establish, ignore, listening, receive, wait

PATIENCE_S = 10


def options_of(policy: str) -> tuple[tuple[int, int, int | bytes], ...]:
    """What the policy sets of each socket."""
    return tuple((one.level, one.option, one.value) for one in parse_policy(policy).socket_options)


def test_it_opens_sends_and_receives() -> None:
    with listening() as listener:
        client = TcpTransport(poller.of_hub())
        client.connect(address_of(listener), ignore)
        assert establish(client)[client] == [Step.OPEN]
        with accept(listener) as peer:
            assert client.send(b"ping") == 4
            peer.setblocking(True)
            assert peer.recv(4) == b"ping"
            assert client.receive() == WOULD_BLOCK
            peer.sendall(b"pong")
            assert receive(client, 4) == b"pong"
            assert client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        wait(client)
        assert client.receive() == 0
        client.close()


@pytest.mark.parametrize(
    ("policy", "level", "option", "kernel_says"),
    [
        ("persistent", socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        ("tcp-nagle", socket.IPPROTO_TCP, socket.TCP_NODELAY, 0),
        ("tcp-fastopen", socket.IPPROTO_TCP, 30, 1),
        ("tcp-rcvbuf:65536", socket.SOL_SOCKET, socket.SO_RCVBUF, 131072),  # the kernel doubles it (socket(7))
        ("tcp-keepalive:7s", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        ("tcp-keepalive:7s", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7),
        ("tcp-keepalive:7s", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 7),
        ("close+tcp-linger:0", socket.SOL_SOCKET, socket.SO_LINGER, 1),
        ("tcp-congestion:reno", socket.IPPROTO_TCP, socket.TCP_CONGESTION, int.from_bytes(b"reno", "little")),
    ],
)
def test_what_a_policy_sets_is_what_the_kernel_has(policy: str, level: int, option: int, kernel_says: int) -> None:
    with listening() as listener:
        client = TcpTransport(poller.of_hub())
        client.options = options_of(policy)
        client.connect(address_of(listener), ignore)
        assert client.socket.getsockopt(level, option) == kernel_says
        client.close()


def test_a_linger_of_0_closes_by_a_reset() -> None:
    with listening() as listener:
        client = TcpTransport(poller.of_hub())
        client.options = options_of("close+tcp-linger:0")
        client.connect(address_of(listener), ignore)
        establish(client)
        with accept(listener) as peer:
            client.close()
            peer.setblocking(True)
            with pytest.raises(ConnectionResetError):
                peer.recv(1)


def test_a_refused_connection_says_so() -> None:
    with listening() as listener:
        address = address_of(listener)
    client = TcpTransport(poller.of_hub())
    client.connect(address, ignore)
    wait(client, Step.WANT_WRITE)
    with pytest.raises(OSError) as refusal:
        client.establish()
    assert refusal.value.errno == errno.ECONNREFUSED
    client.close()


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_socket_file(tmp_path: Path, is_abstract: bool) -> None:
    name = f"@loadgen-{os.getpid()}" if is_abstract else f"{tmp_path / 'socket'}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(socket_file(name))
        listener.listen(0)
        address = (int(socket.AF_UNIX), (name,))
        client = TcpTransport(poller.of_hub())
        client.stamps_arrivals = True
        client.connect(address, ignore)
        assert client.connected_ns
        establish(client)
        assert client.was_connected()
        with accept(listener) as peer:
            peer.sendall(b"pong")
            assert client.arrival_ns() == client.first_rtt_ns() == ABSENT
            assert receive(client, 4) == b"pong"
        client.close()
        # Its queue has room for one: the kernel makes no client wait that does not block.
        waiting = [TcpTransport(poller.of_hub()) for _ in range(2)]
        waiting[0].connect(address, ignore)
        with pytest.raises(BlockingIOError):
            waiting[1].connect(address, ignore)
        for one in waiting:
            one.close()


def test_on_loopback_it_is_connected_as_connect_returns() -> None:
    with listening() as listener:
        client = TcpTransport(poller.of_hub())
        begun_ns = client.connect(address_of(listener), ignore)
        assert begun_ns <= client.connected_ns <= time.monotonic_ns()
        client.close()
        address = address_of(listener)
    refused = TcpTransport(poller.of_hub())
    refused.connect(address, ignore)
    assert refused.connected_ns == 0, "an error is the loop's to tell"
    refused.close()


def test_it_was_connected_before_it_is_told_so() -> None:
    client = TcpTransport(poller.of_hub())
    assert not client.was_connected()
    with listening() as listener:
        address = address_of(listener)
        client.connect(address, ignore)
        assert client.was_connected()
        with accept(listener) as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait(client, Step.WANT_WRITE)
        assert client.was_connected()
    client.close()
    assert not client.was_connected()
    refused = TcpTransport(poller.of_hub())
    refused.connect(address, ignore)
    wait(refused, Step.WANT_WRITE)
    assert not refused.was_connected()
    refused.close()


def test_it_connects_from_the_source_that_it_was_given() -> None:
    with connected(source="127.0.0.7") as (_client, peer):
        assert peer.getpeername()[0] == "127.0.0.7"


def test_closing_twice_is_safe_and_final() -> None:
    with connected() as (client, _peer):
        client.watch(READ, lambda: None)
        client.close()
        client.close()
        assert client.socket is None
        for call in (lambda: client.send(b"x"), lambda: client.send(memoryview(b"x")), client.receive):
            with pytest.raises(OSError) as failure:
                call()
            assert failure.value.errno == errno.EBADF


def test_the_loop_calls_back_what_is_watched_now() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    server = TcpTransport(poller.of_hub(), ours)
    seen: AsyncResult = AsyncResult()
    server.watch(READ, lambda: seen.set("read"))
    server.watch(WRITE, lambda: seen.set("write"))  # takes the place of the watch before
    theirs.sendall(b"x")
    assert seen.get(timeout=PATIENCE_S) == "write"
    later: AsyncResult = AsyncResult()
    server.watch(NOTHING, lambda: later.set("never"))
    gevent.get_hub().loop.run_callback(later.set, "loop turned")
    assert later.get(timeout=PATIENCE_S) == "loop turned"
    again: AsyncResult = AsyncResult()
    server.watch(READ, lambda: again.set(bytes(server.buffer[: server.receive()])))
    assert again.get(timeout=PATIENCE_S) == b"x"
    server.close()
    theirs.close()


def connected_on_the_loop(address: SocketAddress) -> tuple[TcpTransport, Step | OSError]:
    """A client, once the loop has called back, and what its step towards being open gave there."""
    client = TcpTransport(poller.of_hub())
    result: AsyncResult = AsyncResult()

    def take_step() -> None:
        client.watch(NOTHING, take_step)
        try:
            result.set(client.establish())
        except OSError as error:
            result.set(error)

    begun_ns = time.monotonic_ns()
    assert begun_ns <= client.connect(address, take_step) <= time.monotonic_ns()
    return client, result.get(timeout=PATIENCE_S)


def test_the_loop_calls_back_when_a_connection_is_there_or_refused() -> None:
    with listening() as listener:
        address = address_of(listener)
        client, step = connected_on_the_loop(address)
        assert step is Step.OPEN
        accept(listener).close()
        client.close()
    client, failure = connected_on_the_loop(address)
    assert isinstance(failure, OSError)
    assert failure.errno == errno.ECONNREFUSED
    client.close()


def test_an_address_that_can_not_be_reached_fails_at_once_and_leaves_nothing_behind() -> None:
    client = TcpTransport(poller.of_hub())
    with pytest.raises(OSError) as failure:
        client.connect((socket.AF_INET, ("255.255.255.255", 80)), ignore)
    assert failure.value.errno in (errno.ENETUNREACH, errno.EACCES)
    descriptor = client.socket.fileno()
    client.close()
    with listening() as listener:  # the next one may get the same descriptor, and can be watched
        again, step = connected_on_the_loop(address_of(listener))
        assert step is Step.OPEN
        again.close()
    assert descriptor >= 0


def test_long_data_is_taken_in_parts_and_views_are_sent_too() -> None:
    with connected() as (client, peer):
        whole = bytes(range(256)) * 40_000
        taken = client.send(whole)
        assert 0 < taken < len(whole)
        while (sent := client.send(memoryview(whole)[taken:])) > 0:
            taken += sent
        assert sent == WOULD_BLOCK
        peer.setblocking(True)
        got = b""
        while len(got) < taken:
            got += peer.recv(1 << 20)
        assert got == whole[:taken]
        peer.close()


def test_a_peer_that_is_gone_is_an_error_and_no_signal() -> None:
    with connected() as (client, peer):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()  # by a reset
        wait(client)
        with pytest.raises(ConnectionResetError):
            client.receive()
        for data in (b"x", memoryview(b"x")):
            with pytest.raises(BrokenPipeError):
                client.send(data)
