"""The null target with clients on real sockets, in clear and over verified TLS."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadgen.target.null_server import CLOSING_RESPONSE, RESPONSE, NullServer, tls_context

PATIENCE_S = 10
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[NullServer]:
    server = NullServer("127.0.0.1", 0, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "it does not end"
        server.close()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("null") / "ca.pem"


@pytest.fixture(scope="module", params=[False, True], ids=["clear", "tls"])
def port(request: pytest.FixtureRequest, ca_file: Path) -> Iterator[tuple[int, ssl.SSLContext | None]]:
    with serving(tls_context(("127.0.0.1",), ca_file) if request.param else None) as server:
        yield server.port, ssl.create_default_context(cafile=ca_file) if request.param else None


@contextmanager
def client(port: tuple[int, ssl.SSLContext | None]) -> Iterator[socket.socket]:
    number, context = port
    with socket.create_connection(("127.0.0.1", number), PATIENCE_S) as link:
        if context is None:
            yield link
        else:
            with context.wrap_socket(link, server_hostname="127.0.0.1") as secure:
                yield secure


def receive(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := link.recv(size - len(data))):
        data += more
    return data


def test_requests_whole_byte_by_byte_and_several_at_once(port: tuple[int, ssl.SSLContext | None]) -> None:
    with client(port) as link:
        link.sendall(GET)
        assert receive(link, len(RESPONSE)) == RESPONSE
        for byte in GET:
            link.sendall(bytes((byte,)))
        assert receive(link, len(RESPONSE)) == RESPONSE
        link.sendall(GET + GET + LAST)
        assert receive(link, 1 << 16) == RESPONSE * 2 + CLOSING_RESPONSE, "and then it closes"


def test_a_client_that_leaves_takes_nothing_with_it(port: tuple[int, ssl.SSLContext | None]) -> None:
    number, _ = port
    for sent in (b"", b"GET", b"\x16\x03\x01\xff\xff" + bytes(90)):
        with socket.create_connection(("127.0.0.1", number), PATIENCE_S) as link:
            link.sendall(sent)
    with client(port) as link:
        link.sendall(LAST)
        assert receive(link, 1 << 16) == CLOSING_RESPONSE


def test_a_session_can_be_resumed(ca_file: Path) -> None:
    with serving(tls_context(("127.0.0.1",), ca_file)) as server:
        context = ssl.create_default_context(cafile=ca_file)
        session, reused = None, []
        for _ in range(2):
            link = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)
            with context.wrap_socket(link, server_hostname="127.0.0.1", session=session) as secure:
                secure.sendall(LAST)
                assert receive(secure, 1 << 16) == CLOSING_RESPONSE
                reused.append(secure.session_reused)
                session = secure.session
        assert reused == [False, True]


def test_it_ends_with_its_parent() -> None:
    server = NullServer("127.0.0.1", 0)
    read_end, write_end = os.pipe()
    server.end_at_eof(read_end)
    os.close(write_end)
    server.serve()
    port = server.port
    server.close()
    os.close(read_end)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE_S)
