"""The system calls of the hot path: what they give, the same by libc and by the standard library."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Iterator

import pytest

from loadgen.wire.syscalls import MAX_EVENTS, ReadyList, monotonic_ns, receive, send, send_view


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_the_time_is_pythons() -> None:
    before = time.monotonic_ns()
    found = monotonic_ns()
    assert before <= found <= time.monotonic_ns()


def test_what_has_come_is_put_into_the_buffer(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    buffer = bytearray(b"........")
    assert receive(ours.fileno(), buffer) == -errno.EAGAIN
    theirs.send(b"hello")
    assert receive(ours.fileno(), buffer) == 5
    assert buffer == b"hello..."
    theirs.send(b"0123456789")
    assert [receive(ours.fileno(), buffer), buffer] == [8, b"01234567"]  # no more than it holds
    assert [receive(ours.fileno(), buffer), buffer] == [2, b"89234567"]
    theirs.close()
    assert receive(ours.fileno(), buffer) == 0


@pytest.mark.parametrize("as_view", [False, True])
def test_what_fits_is_sent(pair: tuple[socket.socket, socket.socket], as_view: bool) -> None:
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


def test_a_closed_descriptor_is_an_error_too(pair: tuple[socket.socket, socket.socket]) -> None:
    number = pair[0].fileno()
    pair[0].close()
    for found in (receive(number, bytearray(8)), send(number, b"x"), send_view(number, memoryview(b"x"))):
        assert found == -errno.EBADF


def test_ready_descriptors_and_their_events(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with select.epoll() as epoll:
        ready = ReadyList(epoll)
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


def test_no_more_than_a_turns_events() -> None:
    pairs = [socket.socketpair() for _ in range(MAX_EVENTS)]
    with select.epoll() as epoll:
        for ours, theirs in pairs:
            epoll.register(ours, select.EPOLLOUT)
            epoll.register(theirs, select.EPOLLOUT)
        ready = ReadyList(epoll)
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
