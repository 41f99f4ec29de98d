"""Pairs of a client's transport and its peer over loopback, opened step by step without a loop."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loadgen.wire import poller
from loadgen.wire.transport import WOULD_BLOCK, SocketAddress, Step, TcpTransport

_PATIENCE_S = 10.0


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A listening socket on a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_PATIENCE_S)
        yield listener


def ignore() -> None:
    """A callback for a transport that is taken step by step, without a loop."""


def address_of(listener: socket.socket) -> SocketAddress:
    return listener.family, listener.getsockname()


def accept(listener: socket.socket) -> socket.socket:
    """The next connection, non-blocking as a server's transport needs it."""
    connection, _ = listener.accept()
    connection.setblocking(False)
    return connection


@contextmanager
def connected(stamps: bool = False, source: str | None = None) -> Iterator[tuple[TcpTransport, socket.socket]]:
    """A client that is connected, and its peer. stamps: the kernel stamps what arrives at the client."""
    with listening() as listener:
        client = TcpTransport(poller.of_hub(), source={socket.AF_INET: source} if source else None)
        client.stamps_arrivals = stamps
        client.connect(address_of(listener), ignore)
        establish(client)
        with accept(listener) as peer:
            yield client, peer
        client.close()


def wait(transport: Any, step: Step = Step.WANT_READ) -> None:
    """Wait until the transport's socket is ready for the step that it wants."""
    reads, writes = ([transport.socket], []) if step is Step.WANT_READ else ([], [transport.socket])
    assert any(select.select(reads, writes, [], _PATIENCE_S)), "nothing happened"


def establish(*transports: Any) -> dict[Any, list[Step]]:
    """Take all steps of these transports towards being open, in turns; gives each one's steps."""
    steps: dict[Any, list[Step]] = {one: [] for one in transports}
    for one in transports:
        if one.socket is not None:
            wait(one, Step.WANT_WRITE)
    pending = list(transports)
    while pending:
        waits = True
        for one in list(pending):
            step = one.establish()
            steps[one].append(step)
            waits = waits and step is Step.WANT_READ
            if step is Step.OPEN:
                pending.remove(one)
        if pending and waits:
            assert select.select([one.socket for one in pending], [], [], _PATIENCE_S)[0], "nothing happened"
    return steps


def receive(transport: Any, size_bytes: int) -> bytes:
    """This many bytes."""
    data = b""
    while len(data) < size_bytes:
        size = transport.receive()
        if size == WOULD_BLOCK:
            wait(transport)
            continue
        assert size, f"closed after {data!r}"
        data += transport.buffer[:size]
    assert len(data) == size_bytes
    return data
