"""The embedded target as a WebSocket server (RFC 6455): against another implementation's client, and byte by byte."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from loadgen.target.account import Account
from loadgen.target.behaviour import Behaviour
from loadgen.target.connection import ServerContext
from loadgen.target.http1 import Http1ServerConnection
from loadgen.target.responses import Responses
from loadgen.wire import poller
from loadgen.wire.transport import READ, TcpTransport
from tests.support.targets import Target

Start = Callable[..., Target]
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455 §1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE = (
    f"GET /any/path HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()


def client(target: Target, **more: Any) -> ClientConnection:
    return connect(target.url.replace("http", "ws", 1), max_size=None, compression=None, **more)


def framed(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    """A client's frame: masked."""
    return Frame(opcode, data, fin).serialize(mask=True)


def close_frame(code: int) -> bytes:
    return framed(Opcode.CLOSE, code.to_bytes(2, "big"))


@contextmanager
def raw(target: Target) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock:
        yield sock


@contextmanager
def upgraded(target: Target) -> Iterator[socket.socket]:
    """A socket on which the handshake is over."""
    with raw(target) as sock:
        sock.sendall(HANDSHAKE)
        assert head(sock).startswith(b"HTTP/1.1 101 ")
        yield sock


def head(sock: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        assert more, f"closed after {data!r}"
        data += more
    return data


def exactly(sock: socket.socket, size_bytes: int) -> bytes:
    data = b""
    while len(data) < size_bytes:
        more = sock.recv(size_bytes - len(data))
        assert more, f"closed after {data!r}"
        data += more
    return data


def to_end(sock: socket.socket) -> bytes:
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def closed_with(code: int) -> bytes:
    """How a server's Close frame with this code begins, behind its length."""
    return code.to_bytes(2, "big")


def test_the_handshake_is_the_rfcs(share_target: Start) -> None:
    with raw(share_target()) as sock:
        sock.sendall(HANDSHAKE)
        lines = head(sock).decode().split("\r\n")
    assert lines[0].startswith("HTTP/1.1 101 ")
    assert f"Sec-WebSocket-Accept: {ACCEPT}" in lines
    assert not any(line.lower().startswith(("sec-websocket-extensions", "sec-websocket-protocol")) for line in lines)


@pytest.mark.parametrize("size_bytes", [0, 1, 125, 126, 65535, 65536, 3_000_000])
def test_messages_come_back_as_they_were(share_target: Start, size_bytes: int) -> None:
    target = share_target()
    with client(target) as link:
        for message in ("é" * (size_bytes // 2), os.urandom(size_bytes)):
            link.send(message)
            assert link.recv(timeout=20) == message
    assert target.stats()["requests"] == 2


def test_over_tls_as_well(share_target: Start) -> None:
    import ssl

    target = share_target("--tls")
    with client(target, ssl=ssl.create_default_context(cafile=target.ca_file)) as link:
        link.send("hello")
        assert link.recv(timeout=20) == "hello"


def test_a_fragmented_message_comes_back_in_one_frame(share_target: Start) -> None:
    with upgraded(share_target()) as sock:
        # The second byte of é is in the next fragment, and a ping between the two is answered at once.
        sock.sendall(framed(Opcode.TEXT, b"caf\xc3", fin=False) + framed(Opcode.PING, b"?"))
        assert exactly(sock, 3) == b"\x8a\x01?"
        sock.sendall(framed(Opcode.CONT, b"\xa9", fin=False) + framed(Opcode.CONT, b"!"))
        assert exactly(sock, 8) == b"\x81\x06caf\xc3\xa9!"


def test_byte_by_byte(share_target: Start) -> None:
    with raw(share_target()) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in HANDSHAKE:
            sock.sendall(bytes([byte]))
        assert head(sock).startswith(b"HTTP/1.1 101 ")
        for byte in framed(Opcode.TEXT, b"one") + framed(Opcode.BINARY, b"two"):
            sock.sendall(bytes([byte]))
        assert exactly(sock, 10) == b"\x81\x03one\x82\x03two"


def test_all_at_once(share_target: Start) -> None:
    """Messages in the same segment as the handshake, and a Close behind them: all is answered, in order."""
    with raw(share_target()) as sock:
        sock.sendall(HANDSHAKE + framed(Opcode.TEXT, b"one") + framed(Opcode.TEXT, b"two") + close_frame(1000))
        assert head(sock).startswith(b"HTTP/1.1 101 ")
        assert to_end(sock) == b"\x81\x03one\x81\x03two\x88\x02\x03\xe8"


def test_the_close_handshake_echoes_the_code(share_target: Start) -> None:
    with upgraded(share_target()) as sock:
        sock.sendall(close_frame(4321))
        assert to_end(sock) == b"\x88\x02" + closed_with(4321)


@pytest.mark.parametrize(
    ("bad_frame", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (framed(Opcode.CONT, b"nothing to continue"), 1002),
        (framed(Opcode.TEXT, b"\xff\xfe"), 1007),
        (framed(Opcode.TEXT, b"\xc3", fin=False) + framed(Opcode.CONT, b"\x28"), 1007),
        (b"\x82\xff" + (16 * 1024 * 1024 + 1).to_bytes(8, "big") + b"\x00" * 100_000, 1009),
        (framed(Opcode.BINARY, b"x" * (10 << 20), fin=False) + framed(Opcode.CONT, b"x" * (7 << 20)), 1009),
    ],
    ids=["unmasked", "continuation", "not_utf8", "not_utf8_fragmented", "too_long", "too_long_fragmented"],
)
def test_a_bad_frame_ends_it_with_its_code(share_target: Start, bad_frame: bytes, code: int) -> None:
    target = share_target()
    with upgraded(target) as sock:
        good = framed(Opcode.TEXT, b"good")
        sock.sendall(good + bad_frame)
        answer = to_end(sock)
    # What was good before is answered; the Close arrives although more bytes were still on their way.
    assert answer.startswith(b"\x81\x04good\x88")
    assert answer[8:10] == closed_with(code)
    assert target.stats()["requests"] == 1


def test_the_largest_message(share_target: Start) -> None:
    with client(share_target()) as link:
        link.send(b"x" * (16 << 20))
        assert len(link.recv(timeout=60)) == 16 << 20


def test_the_first_subprotocol_is_taken(share_target: Start) -> None:
    with client(share_target(), subprotocols=[Subprotocol("second.first"), Subprotocol("b")]) as link:
        assert link.subprotocol == "second.first"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (f"Sec-WebSocket-Key: {KEY}", "X: y", 400),
        (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Key: short", 400),
        ("Version: 13", "Version: 8", 400),
        # No offer to switch: a plain request (RFC 9110 §7.8).
        ("Connection: keep-alive, Upgrade", "Connection: keep-alive", 200),
        ("HTTP/1.1", "HTTP/1.0", 200),
        ("Upgrade: WebSocket", "Upgrade: gopher/1", 200),
        ("GET", "POST", 200),
    ],
)
def test_what_is_no_handshake_is_answered_in_http(share_target: Start, before: str, after: str, status: int) -> None:
    target = share_target()
    with raw(target) as sock:
        sock.sendall(HANDSHAKE.replace(before.encode(), after.encode()))
        answer = head(sock)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b"Sec-WebSocket-Version: 13" in answer) == (status == 400)

    protocols = target.stats()["protocols"]
    assert (protocols["websocket"], protocols["http/1.1"]) == (0, 1)


@pytest.mark.parametrize(
    "content", ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
def test_the_content_of_a_handshake_is_dropped(share_target: Start, content: str) -> None:
    target = share_target()
    with raw(target) as sock:
        sock.sendall(HANDSHAKE[:-2] + content.encode())
        assert head(sock).startswith(b"HTTP/1.1 101 ")
        sock.sendall(framed(Opcode.TEXT, b"one"))
        assert exactly(sock, 5) == b"\x81\x03one"
    assert target.stats()["requests"] == 1


@pytest.mark.parametrize(
    "data", [framed(Opcode.TEXT, b"one"), framed(Opcode.TEXT, b"one")[:3], b""], ids=["frame", "half", "nothing"]
)
@pytest.mark.parametrize("valid", [True, False])
def test_a_client_that_is_gone_before_its_answer(valid: bool, data: bytes) -> None:
    """What it sent is there to be read, but nothing can be written; without a server's loop the order is certain."""
    account = Account()
    behaviour = Behaviour()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    connection = Http1ServerConnection(
        ServerContext(behaviour, Responses(behaviour, account.stats, account.connections), account),
        TcpTransport(poller.of_hub(), ours),
    )
    account.accepted(connection)
    connection.transport.watch(READ, connection.on_readable)
    handshake = HANDSHAKE if valid else HANDSHAKE.replace(b"Version: 13", b"Version: 8")
    theirs.sendall(handshake + data)
    theirs.close()
    connection.on_readable()
    assert connection.transport.socket is None
    stats = account.stats()
    assert (stats["accepted"], stats["open"]) == (1, 0)
    assert stats["protocols"]["websocket"] == 0


def test_declined(share_target: Start) -> None:
    target = share_target("--decline", "websocket")
    with raw(target) as sock:
        for _ in range(2):  # the connection goes on
            sock.sendall(HANDSHAKE)
            answer = head(sock)
            assert answer.startswith(b"HTTP/1.1 403 ")
            assert exactly(sock, 18) == b"no WebSocket here\n"
    stats = target.stats()
    assert stats["requests"] == 2
    assert stats["protocols"]["websocket"] == 0


def test_close_after_says_going_away(share_target: Start) -> None:
    target = share_target("--close-after", "3")
    with client(target) as link:
        for number in range(3):
            link.send(str(number))
            assert link.recv(timeout=20) == str(number)
        with pytest.raises(ConnectionClosed) as closed:
            link.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert target.stats()["requests_per_connection"] == {"3": 1}


def test_close_after_counts_exactly_when_messages_come_together(share_target: Start) -> None:
    target = share_target("--close-after", "2")
    with upgraded(target) as sock:
        sock.sendall(b"".join(framed(Opcode.TEXT, name) for name in (b"a", b"b", b"c", b"d")))
        assert exactly(sock, 10) == b"\x81\x01a\x81\x01b\x88\x02\x03\xe9"
        sock.sendall(close_frame(1001))
        assert to_end(sock) == b""
    assert target.stats()["requests_per_connection"] == {"2": 1}


def test_a_silent_target_closes_without_a_word(share_target: Start) -> None:
    with upgraded(share_target("--close-after", "1", "--silent")) as sock:
        sock.sendall(framed(Opcode.TEXT, b"a"))
        assert to_end(sock) == b"\x81\x01a"


@pytest.mark.parametrize(("options", "last"), [((), b"\x88\x02\x03\xe9"), (("--silent",), b"")])
def test_idle_connections_are_closed(share_target: Start, options: tuple[str, ...], last: bytes) -> None:
    with upgraded(share_target("--idle-timeout", "50ms", *options)) as sock:
        assert exactly(sock, len(last)) == last
        if last:
            sock.sendall(close_frame(1001))
        assert to_end(sock) == b""


def test_each_message_takes_its_service_time(share_target: Start) -> None:
    """One after the other, and a Close that comes meanwhile is answered behind them; a ping is not kept waiting."""
    with upgraded(share_target("--delay", "100ms")) as sock:
        begun = time.monotonic()
        messages = framed(Opcode.TEXT, b"a") + framed(Opcode.TEXT, b"b") + framed(Opcode.PING, b"")
        sock.sendall(messages)
        assert exactly(sock, 2) == b"\x8a\x00"
        sock.sendall(close_frame(1000))
        assert to_end(sock) == b"\x81\x01a\x81\x01b\x88\x02\x03\xe8"
        assert time.monotonic() - begun >= 0.2


def test_a_slow_reader_gets_everything(share_target: Start) -> None:
    """Echoes beyond what the kernel buffers wait for the client, and the target reads no more until then."""
    message = os.urandom(1 << 20)
    echo = framed(Opcode.BINARY, message)
    target = share_target()
    with upgraded(target) as sock:
        sock.setblocking(False)
        sent, to_send = 0, echo * 20
        try:
            while sent < len(to_send):
                sent += sock.send(to_send[sent : sent + (1 << 20)])
        except BlockingIOError:
            pass
        sock.settimeout(20)
        expected = Frame(Opcode.BINARY, message).serialize(mask=False)
        for _ in range(sent // len(echo)):
            assert exactly(sock, len(expected)) == expected


def test_the_account_knows_what_was_spoken(share_target: Start) -> None:
    target = share_target()
    with client(target) as link:
        for _ in range(4):
            link.send("x")
            link.recv(timeout=20)
        stats = target.stats()
        assert (stats["open"], stats["requests"]) == (1, 4)
        assert stats["protocols"] == {"http/1.1": 0, "h2": 0, "h2c": 0, "websocket": 1}


def test_random_keys_are_answered(share_target: Start) -> None:
    """Handshakes with masks and keys of their own, one connection after the other."""
    target = share_target()
    for _ in range(5):
        with raw(target) as sock:
            sock.sendall(HANDSHAKE.replace(KEY.encode(), base64.b64encode(os.urandom(16))))
            assert head(sock).startswith(b"HTTP/1.1 101 ")
            sock.sendall(framed(Opcode.TEXT, b"x") + close_frame(1000))
            assert to_end(sock) == b"\x81\x01x\x88\x02\x03\xe8"
    assert target.stats()["requests_per_connection"] == {"1": 5}
