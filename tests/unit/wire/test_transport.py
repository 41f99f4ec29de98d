"""Plain TCP over loopback: it opens without blocking, calls back when there is something, and closes for good."""

from __future__ import annotations

import errno
import socket

import gevent
import pytest
from gevent.event import AsyncResult

from loadgen.wire.transport import NOTHING, READ, WRITE, SocketAddress, Step, TcpTransport, resolve
from tests.support.transports import accept, address_of, establish, listening, receive, wait

PATIENCE_S = 10


def test_it_opens_sends_and_receives() -> None:
    with listening() as listener:
        client = TcpTransport()
        client.connect(address_of(listener))
        assert establish(client)[client] == [Step.OPEN]
        with accept(listener) as peer:
            assert client.send(b"ping") == 4
            peer.setblocking(True)
            assert peer.recv(4) == b"ping"
            with pytest.raises(BlockingIOError):
                client.recv(10)
            peer.sendall(b"pong")
            assert receive(client, 4) == b"pong"
            assert client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        wait(client)
        assert client.recv(10) == b""
        client.close()


def test_a_refused_connection_says_so() -> None:
    with listening() as listener:
        address = address_of(listener)
    client = TcpTransport()
    client.connect(address)
    wait(client, Step.WANT_WRITE)
    with pytest.raises(OSError) as refusal:
        client.establish()
    assert refusal.value.errno == errno.ECONNREFUSED
    client.close()


def test_it_connects_from_the_source_that_it_was_given() -> None:
    with listening() as listener:
        client = TcpTransport(source="127.0.0.7")
        client.connect(address_of(listener))
        establish(client)
        with accept(listener) as peer:
            assert peer.getpeername()[0] == "127.0.0.7"
        client.close()


def test_closing_twice_is_safe_and_final() -> None:
    with listening() as listener:
        client = TcpTransport()
        client.connect(address_of(listener))
        establish(client)
        client.watch(READ, lambda: None)
        client.close()
        client.close()
        assert client.socket is None
        for call in (lambda: client.send(b"x"), lambda: client.recv(1)):
            with pytest.raises(OSError, match="the transport is closed"):
                call()


def test_the_loop_calls_back_what_is_watched_now() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    server = TcpTransport(ours)
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
    server.watch(READ, lambda: again.set(server.recv(10)))
    assert again.get(timeout=PATIENCE_S) == b"x"
    server.close()
    theirs.close()


def look_up(host: str) -> list[SocketAddress] | OSError:
    found: AsyncResult = AsyncResult()
    resolve(host, 80, found.set)
    result: list[SocketAddress] | OSError = found.get(timeout=PATIENCE_S)
    return result


def test_a_name_is_looked_up_off_the_loop() -> None:
    assert (socket.AF_INET, ("127.0.0.1", 80)) in look_up("127.0.0.1")  # type: ignore[operator] # it is an address


@pytest.mark.parametrize("host", ["no\0name", "a" * 70 + ".invalid"])
def test_a_name_that_can_not_be_looked_up_is_an_error_and_no_exception(host: str) -> None:
    assert isinstance(look_up(host), OSError)
