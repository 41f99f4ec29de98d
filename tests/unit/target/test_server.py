"""The target's server with a client on a real socket: each protocol it speaks, its limits, and what it counts."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, TrailersReceived
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from loadgen.target.behaviour import STATS_PATH, Behaviour
from loadgen.target.certificates import server_context
from loadgen.target.server import TargetServer
from loadgen.wire.http1.response_reader import ResponseReader
from tests.support.target_thread import target_in_thread

PATIENCE_S = 10
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)
FIELDS = [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", "/")]

Serve = Callable[..., TargetServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with the options of a Behaviour."""
    with ExitStack() as stack:
        yield lambda tls_context=None, **options: stack.enter_context(
            target_in_thread(Behaviour(**options), tls_context)
        )


@contextmanager
def client(server: TargetServer) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as sock:
        yield sock


def read_response(sock: socket.socket, reader: ResponseReader | None = None) -> tuple[Any, bytes]:
    """The head and the body of the next response. `reader` has what followed the one before."""
    reader = reader or ResponseReader(1 << 20)
    body = bytearray()
    data, reader.rest = reader.rest, b""
    while not reader.feed(data or sock.recv(1 << 16), body.extend):
        data = b""
    return reader.head, bytes(body)


def is_closed(sock: socket.socket) -> bool:
    return sock.recv(1) == b""


# HTTP/1.1


def test_requests_on_one_connection(serve: Serve) -> None:
    server = serve(size_bytes=3)
    with client(server) as sock:
        for _ in range(3):
            sock.sendall(GET)
            head, body = read_response(sock)
            assert (head.status, body, head.persists) == (200, b"loa", True)
        stats = server.stats()
        assert (stats["accepted"], stats["open"], stats["requests"]) == (1, 1, 3)


def test_requests_that_come_together_are_answered_in_order(serve: Serve) -> None:
    with client(serve()) as sock:
        sock.sendall(b"".join(b"GET /?size=%d HTTP/1.1\r\nHost: h\r\n\r\n" % size for size in (1, 2, 3)))
        reader = ResponseReader(100)
        reader.pipelined = True
        assert [len(read_response(sock, reader)[1]) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("silent", [False, True])
def test_it_closes_after_its_limit_announced_or_not(serve: Serve, silent: bool) -> None:
    with client(serve(close_after=2, silent=silent)) as sock:
        sock.sendall(GET)
        assert read_response(sock)[0].persists
        sock.sendall(GET)
        assert read_response(sock)[0].persists is silent
        assert is_closed(sock)


@pytest.mark.parametrize("ignores", [False, True])
def test_a_close_that_the_client_asks_for(serve: Serve, ignores: bool) -> None:
    asks = GET[:-2] + b"Connection: close\r\n\r\n"
    with client(serve(ignore_close=ignores)) as sock:
        sock.sendall(asks)
        assert read_response(sock)[0].persists is ignores
        if ignores:
            sock.sendall(asks)
            read_response(sock)
        else:
            assert is_closed(sock)


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    with client(serve(idle_timeout_ns=20_000_000)) as sock:
        sock.sendall(GET)
        read_response(sock)
        assert is_closed(sock)


def test_a_service_time_and_an_expectation(serve: Serve) -> None:
    with client(serve(delay_ns=1_000_000)) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ab")
        assert read_response(sock)[0].status == 200


def test_what_is_no_request_gets_400(serve: Serve) -> None:
    with client(serve()) as sock:
        sock.sendall(b"NOT HTTP\r\n\r\n")
        assert read_response(sock)[0].status == 400
        assert is_closed(sock)


def test_a_long_body_waits_for_room(serve: Serve) -> None:
    size_bytes = 8 << 20
    with client(serve(size_bytes=size_bytes)) as sock:
        sock.sendall(GET)
        reader = ResponseReader(size_bytes)
        while not reader.feed(sock.recv(1 << 20)):
            pass
        assert reader.body_bytes == size_bytes


def test_reading_the_account_does_not_count(serve: Serve) -> None:
    server = serve()
    with client(server) as sock:
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % STATS_PATH.encode())
        assert json.loads(read_response(sock)[1])["accepted"] == 0
        assert server.stats()["accepted"] == 0


# HTTP/2


class Http2Client:
    """The library's client on a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.events: list[Any] = []

    def begin(self) -> Http2Client:
        self.h2.initiate_connection()
        return self

    def ask(self, *more: tuple[str, str]) -> int:
        stream: int = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [*FIELDS, *more], end_stream=True)
        return stream

    def until(self, kind: type) -> Any:
        """The next event of this kind; events before it are kept."""
        while True:
            for event in self.events:
                if isinstance(event, kind):
                    self.events.remove(event)
                    return event
            self.sock.sendall(self.h2.data_to_send())
            data = self.sock.recv(1 << 16)
            assert data, "the target closed the connection"
            self.events += self.h2.receive_data(data)


def test_http2_with_prior_knowledge(serve: Serve) -> None:
    server = serve()
    with client(server) as sock:
        peer = Http2Client(sock).begin()
        streams = [peer.ask(), peer.ask(("te", "trailers"))]
        assert dict(peer.until(ResponseReceived).headers)[":status"] == "200"
        assert peer.until(DataReceived).data == b"loadg"
        assert dict(peer.until(TrailersReceived).headers) == {"x-loadgen-served": "2"}
        assert [peer.until(StreamEnded).stream_id for _ in streams] == streams
        assert server.stats()["protocols"]["h2"] == 1


def test_http2_over_tls_by_alpn(serve: Serve, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    server = serve(tls_context=server_context(("localhost",), ca_file, ("h2", "http/1.1")))
    context = ssl.create_default_context(cafile=f"{ca_file}")
    context.set_alpn_protocols(["h2"])
    with client(server) as plain, context.wrap_socket(plain, server_hostname="localhost") as sock:
        assert sock.selected_alpn_protocol() == "h2"
        peer = Http2Client(sock).begin()
        peer.ask()
        assert peer.until(DataReceived).data == b"loadg"


def test_http2_after_an_upgrade(serve: Serve) -> None:
    server = serve()
    with client(server) as sock:
        sock.sendall(UPGRADE)
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(1 << 16)
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        peer = Http2Client(sock)
        peer.h2.initiate_upgrade_connection()
        peer.events += peer.h2.receive_data(rest)
        assert peer.until(StreamEnded).stream_id == 1
        assert server.stats()["protocols"]["h2c"] == 1


def test_http2_ends_with_goaway_after_its_limit(serve: Serve) -> None:
    with client(serve(close_after=2)) as sock:
        peer = Http2Client(sock).begin()
        streams = [peer.ask() for _ in range(3)]
        assert peer.until(ConnectionTerminated).last_stream_id == streams[1]


def test_declined_protocols_stay_http1(serve: Serve) -> None:
    with client(serve(declines=frozenset({"h2c", "h2", "websocket"}))) as sock:
        sock.sendall(UPGRADE)
        assert read_response(sock)[0].status == 200
        sock.sendall(GET[:-2] + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert read_response(sock)[0].status == 403


# WebSocket


def test_messages_are_echoed(serve: Serve) -> None:
    server = serve()
    with connect(f"ws://127.0.0.1:{server.port}/", compression=None) as link:
        for message in ("hellö", b"\x00\xff", "x" * 100_000):
            link.send(message)
            assert link.recv(PATIENCE_S) == message
        link.send(iter(["in ", "frag", "ments"]))
        assert link.recv(PATIENCE_S) == "in fragments"
    assert (server.stats()["requests"], server.stats()["protocols"]["websocket"]) == (4, 1)


def test_a_websocket_closes_after_its_limit(serve: Serve) -> None:
    with connect(f"ws://127.0.0.1:{serve(close_after=1).port}/") as link:
        link.send("one")
        assert link.recv(PATIENCE_S) == "one"
        with pytest.raises(ConnectionClosed) as end:
            link.recv(PATIENCE_S)
        assert end.value.rcvd is not None
        assert end.value.rcvd.code == 1001


def test_a_websocket_takes_its_service_time(serve: Serve) -> None:
    with connect(f"ws://127.0.0.1:{serve(delay_ns=1_000_000).port}/") as link:
        for number in range(3):
            link.send(f"{number}")
        assert [link.recv(PATIENCE_S) for _ in range(3)] == ["0", "1", "2"]


def test_a_declined_websocket(serve: Serve) -> None:
    server = serve(declines=frozenset({"websocket"}))
    with pytest.raises(InvalidStatus, match="403"), connect(f"ws://127.0.0.1:{server.port}/"):
        pass
