"""The system calls of the hot path over real sockets: what they give, and failures as numbers."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Iterator

import pytest

from loadgen import core
from loadgen.wire import syscalls
from loadgen.wire.syscalls import MAX_EVENTS, ReadyList, monotonic_ns, packed_address, receive, send, send_view

Pair = tuple[socket.socket, socket.socket]
compiled = pytest.mark.skipif(
    core.running() == "pure", reason="in pure Python the standard library's calls stand for these"
)


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@compiled
def test_the_time_is_that_of_the_monotonic_clock() -> None:
    before = time.monotonic_ns()
    now = monotonic_ns()
    assert before <= now <= time.monotonic_ns()


@compiled
def test_bytes_come_into_the_buffer_as_far_as_it_reaches(pair: Pair) -> None:
    ours, theirs = pair
    buffer = bytearray(4)
    theirs.send(b"hello")
    assert (receive(ours.fileno(), buffer), bytes(buffer)) == (4, b"hell")
    assert (receive(ours.fileno(), buffer), bytes(buffer)) == (1, b"oell")
    assert receive(ours.fileno(), buffer) == -errno.EAGAIN
    theirs.close()
    assert receive(ours.fileno(), buffer) == 0


@compiled
def test_bytes_are_sent_from_bytes_and_from_views(pair: Pair) -> None:
    ours, theirs = pair
    assert send(ours.fileno(), b"hello") == 5
    assert send_view(ours.fileno(), memoryview(b"hello")[1:3]) == 2
    assert theirs.recv(10) == b"helloel"
    theirs.close()
    assert send(ours.fileno(), b"x") == -errno.EPIPE
    assert send_view(ours.fileno(), memoryview(b"x")) == -errno.EPIPE


@compiled
def test_a_descriptor_that_is_none_fails_by_number() -> None:
    assert receive(-1, bytearray(1)) == -errno.EBADF
    assert send(-1, b"x") == -errno.EBADF


@pytest.mark.parametrize(
    ("family", "address", "packed"),
    [
        (socket.AF_INET, ("192.0.2.1", 80), b"\0\x50\xc0\0\2\1" + bytes(8)),
        (socket.AF_INET6, ("2001:db8::1", 443, 0, 0), b"\1\xbb\0\0\0\0\x20\1\r\xb8" + bytes(11) + b"\1" + bytes(4)),
        (socket.AF_INET6, ("fe80::1%lo", 1, 0, 1), b"\0\1\0\0\0\0\xfe\x80" + bytes(13) + b"\1\1\0\0\0"),
    ],
)
def test_an_address_is_packed_as_the_kernel_takes_it(family: int, address: tuple[object, ...], packed: bytes) -> None:
    assert packed_address(family, address) == family.to_bytes(2, "little") + packed


def test_a_name_is_no_address() -> None:
    with pytest.raises(OSError, match="illegal IP address"):
        packed_address(socket.AF_INET, ("localhost", 80))


@compiled
def test_a_connection_is_opened_and_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = syscalls.open_socket(socket.AF_INET)
        assert syscalls.connect(descriptor, packed_address(socket.AF_INET, listener.getsockname())) in (
            0,
            -errno.EINPROGRESS,
        )
        connection, peer = listener.accept()
        with connection, socket.socket(fileno=descriptor) as ours:
            assert ours.getsockname() == peer
            assert not os.get_blocking(descriptor)
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            ours.detach()
        syscalls.close(descriptor)
        assert receive(descriptor, bytearray(1)) == -errno.EBADF
        syscalls.close(descriptor)  # nothing to close is no error
    assert syscalls.open_socket(-1) == -errno.EAFNOSUPPORT


@compiled
@pytest.mark.parametrize("as_view", [False, True])
def test_what_fits_is_sent(pair: Pair, as_view: bool) -> None:
    ours, theirs = pair
    data = bytes(range(256)) * 8000

    def put(rest: bytes) -> int:
        return send_view(ours.fileno(), memoryview(rest)) if as_view else send(ours.fileno(), rest)

    sent = 0
    while (taken := put(data[sent:])) > 0:
        sent += taken
    assert taken == -errno.EAGAIN
    assert 0 < sent < len(data)
    got = b""
    while len(got) < sent:
        got += theirs.recv(1 << 20)
    assert got == data[:sent]
    theirs.close()
    assert put(b"x") == -errno.EPIPE  # and no signal


@compiled
def test_ready_descriptors_and_their_events(pair: Pair) -> None:
    ours, theirs = pair
    with select.epoll() as epoll:
        ready = ReadyList(epoll.fileno())
        epoll.register(ours, select.EPOLLIN)
        assert ready.poll() == 0
        theirs.send(b"x")
        epoll.register(theirs, select.EPOLLOUT)
        assert ready.poll() == 2
        found = {ready.descriptor(index): ready.events(index) for index in range(2)}
        assert found == {ours.fileno(): select.EPOLLIN, theirs.fileno(): select.EPOLLOUT}
        theirs.close()
        assert ready.poll() == 1
        assert ready.descriptor(0) == ours.fileno()
        assert ready.events(0) == select.EPOLLIN | select.EPOLLHUP


@compiled
def test_no_more_than_a_turns_events() -> None:
    pairs = [socket.socketpair() for _ in range(MAX_EVENTS)]
    with select.epoll() as epoll:
        for ours, theirs in pairs:
            epoll.register(ours, select.EPOLLOUT)
            epoll.register(theirs, select.EPOLLOUT)
        ready = ReadyList(epoll.fileno())
        first = ready.poll()
        assert first == MAX_EVENTS
        found = {ready.descriptor(index) for index in range(first)}
        assert len(found) == MAX_EVENTS
        ready.poll()
        found |= {ready.descriptor(index) for index in range(MAX_EVENTS)}
        assert len(found) == 2 * MAX_EVENTS  # the others come next
    for pair in pairs:
        for one in pair:
            one.close()
