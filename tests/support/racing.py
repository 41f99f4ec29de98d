"""Addresses of this machine that answer, refuse or are silent, for races between them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from loadgen.wire.transport import SocketAddress

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@contextmanager
def answering(family: int, port: int = 0) -> Iterator[socket.socket]:
    """A listener that accepts by itself: the kernel completes handshakes, as long as its queue has room."""
    with socket.create_server((LOOPBACK[family], port), family=family, backlog=64) as listener:
        listener.setblocking(False)
        yield listener


@contextmanager
def silent(family: int, port: int = 0) -> Iterator[socket.socket]:
    """A listener whose queue is full: the kernel drops each SYN that comes, as where packets go nowhere."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK[family], port))
        listener.listen(0)
        while True:
            one = stack.enter_context(socket.socket(family))
            one.settimeout(0.05)
            try:
                one.connect(listener.getsockname()[:2])
            except TimeoutError:
                break
        yield listener


@contextmanager
def refusing(family: int, port: int = 0) -> Iterator[socket.socket]:
    """A port that is taken, so that nobody else gets it, and on which nobody listens."""
    with socket.socket(family) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((LOOPBACK[family], port))
        yield taken


def address_of(listener: socket.socket) -> SocketAddress:
    """As a transport takes it."""
    return listener.family, listener.getsockname()


def accepted(listener: socket.socket) -> int:
    """How many connections the kernel has accepted for a listener that `answering` gave; closes them."""
    count = 0
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1
