"""OpenSSL's calls: what they give, that they report failures as pyOpenSSL does, and that they stay inside buffers."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from loadgen.target.certificates import server_context
from loadgen.wire import openssl
from loadgen.wire.openssl import DONE, WAITS_TO_READ, WAITS_TO_WRITE, TlsStream
from loadgen.wire.tls_context import client_context

RECORD_BYTES = 16 * 1024


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """The client's and the server's."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return client_context("h", None, True), server_context(("h",), Path(ca_file))


class Pair:
    """A client's stream and a server's, over a pair of sockets."""

    def __init__(self, contexts: tuple[Any, Any]) -> None:
        self.sockets = socket.socketpair()
        for end in self.sockets:
            end.setblocking(False)
        client, server = (SSL.Connection(context, end) for context, end in zip(contexts, self.sockets, strict=True))
        client.set_connect_state()
        server.set_accept_state()
        self.client, self.server = TlsStream(client), TlsStream(server)

    def shake_hands(self) -> None:
        pending = [self.client, self.server]
        for _ in range(10):
            pending = [stream for stream in pending if stream.do_handshake() != DONE]
            if not pending:
                return
        raise AssertionError("the handshake does not end")


@pytest.fixture
def pair(contexts: tuple[Any, Any]) -> Iterator[Pair]:
    pair = Pair(contexts)
    yield pair
    for end in pair.sockets:
        end.close()


@pytest.fixture
def open_pair(pair: Pair) -> Pair:
    pair.shake_hands()
    return pair


def read(stream: TlsStream, size_bytes: int) -> bytes:
    """This many bytes, which have been written."""
    buffer = bytearray(RECORD_BYTES)
    data = b""
    while len(data) < size_bytes:
        size = stream.read(buffer)
        assert size > 0
        data += buffer[:size]
    return data


def test_the_steps_of_a_handshake(pair: Pair) -> None:
    assert pair.client.do_handshake() == WAITS_TO_READ
    assert pair.client.do_handshake() == WAITS_TO_READ
    assert pair.server.do_handshake() == WAITS_TO_READ
    assert pair.client.do_handshake() == DONE
    assert pair.server.do_handshake() == DONE


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_come_as_they_were_written(open_pair: Pair, kind: Any) -> None:
    assert open_pair.server.write(kind(b"hello")) == 5
    buffer = bytearray(b"." * RECORD_BYTES)
    assert open_pair.client.read(buffer) == 5
    assert buffer == b"hello" + b"." * (RECORD_BYTES - 5)
    assert open_pair.client.read(buffer) == WAITS_TO_READ


def test_a_part_of_a_view_is_written(open_pair: Pair) -> None:
    assert open_pair.server.write(memoryview(b"0123456789")[3:7]) == 4
    assert read(open_pair.client, 4) == b"3456"
    with pytest.raises((BufferError, ValueError)):
        open_pair.server.write(memoryview(b"0123456789")[::2])


def test_a_record_is_read_at_once_and_a_buffer_is_never_overrun(open_pair: Pair) -> None:
    data = bytes(range(256)) * (RECORD_BYTES // 256)
    assert open_pair.server.write(data) == RECORD_BYTES
    buffer = bytearray(RECORD_BYTES)
    assert open_pair.client.read(buffer) == RECORD_BYTES
    assert buffer == data
    assert open_pair.server.write(data) == RECORD_BYTES
    small = bytearray(100)
    assert open_pair.client.read(small) == 100
    assert (len(small), small) == (100, data[:100])
    assert read(open_pair.client, RECORD_BYTES - 100) == data[100:]


def test_a_full_socket_makes_a_writer_wait(open_pair: Pair) -> None:
    data = bytes(range(256)) * 4096
    sent = 0
    while (size := open_pair.client.write(data[sent:])) > 0:
        sent += size
    assert size == WAITS_TO_WRITE
    assert 0 < sent < len(data)
    got = b""
    buffer = bytearray(RECORD_BYTES)
    while sent < len(data):
        while (received := open_pair.server.read(buffer)) > 0:
            got += buffer[:received]
        assert received == WAITS_TO_READ
        sent += max(0, open_pair.client.write(data[sent:]))
    got += read(open_pair.server, len(data) - len(got))
    assert got == data


def test_a_close_by_the_peer(open_pair: Pair) -> None:
    open_pair.server.connection.shutdown()
    with pytest.raises(SSL.ZeroReturnError):
        open_pair.client.read(bytearray(RECORD_BYTES))


def test_an_end_without_a_close(open_pair: Pair) -> None:
    open_pair.sockets[1].close()
    with pytest.raises(SSL.SysCallError) as failure:
        open_pair.client.read(bytearray(RECORD_BYTES))
    assert failure.value.args == (-1, "Unexpected EOF")


def test_a_failed_system_call_has_its_errno(open_pair: Pair) -> None:
    open_pair.sockets[0].shutdown(socket.SHUT_WR)
    with pytest.raises(SSL.SysCallError) as failure:
        open_pair.client.write(b"x")
    assert failure.value.args == (errno.EPIPE, "EPIPE")


def test_a_reset_has_its_errno(contexts: tuple[Any, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    with client:
        connection = SSL.Connection(contexts[0], client)
        connection.set_connect_state()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        with pytest.raises(SSL.SysCallError) as failure:
            TlsStream(connection).do_handshake()
    assert failure.value.args[0] in (errno.ECONNRESET, errno.EPIPE)


def test_what_is_no_tls_has_openssl_s_reason(pair: Pair) -> None:
    assert pair.client.do_handshake() == WAITS_TO_READ
    pair.sockets[1].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(SSL.Error) as failure:
        pair.client.do_handshake()
    assert failure.value.args[0][0][-1]
    # The thread's list of errors is empty again: the next stream is none the worse.
    with pytest.raises(SSL.Error):
        pair.client.do_handshake()


def test_a_failure_is_not_the_next_stream_s(contexts: tuple[Any, Any], open_pair: Pair) -> None:
    other = Pair(contexts)
    other.client.do_handshake()
    other.sockets[1].sendall(b"no TLS, and long enough to be a head of a record")
    with pytest.raises(SSL.Error):
        other.client.do_handshake()
    assert open_pair.client.read(bytearray(RECORD_BYTES)) == WAITS_TO_READ
    for end in other.sockets:
        end.close()


def test_a_stream_outlives_the_name_of_its_connection(contexts: tuple[Any, Any]) -> None:
    pair = Pair(contexts)
    pair.shake_hands()
    assert pair.server.write(b"x") == 1
    pair.server = pair.server.connection  # type: ignore[assignment] # only its own object goes
    assert read(pair.client, 1) == b"x"
    for end in pair.sockets:
        end.close()


def test_without_addresses_cffi_makes_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    found = openssl._addresses()
    assert all(found) or not any(found)
    monkeypatch.setattr(openssl, "lib", object())
    assert openssl._addresses() == (0,) * len(found)
