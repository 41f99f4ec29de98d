"""Servers for what comes after an upgrade: frame by frame, so as to break the rules, and independent ones.

`WebSocketSide` and `Http2Side` sit on a connection of `scripted_server`; what they heard of the client stays in them.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hpack
import pytest
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.support.processes import (
    free_port,
    installed,
    nginx_program,
    reset_at_close,
    server_process,
    write_certificates,
)

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key: bytes) -> bytes:
    """What answers a Sec-WebSocket-Key (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _MAGIC).digest())


def switching(request: bytes, upgrade: bytes = b"websocket", more: bytes = b"") -> bytes:
    """The head of the response that upgrades as `request` asked; more: further field lines."""
    accept = accept_of(field(request, b"sec-websocket-key"))
    lines = [b"HTTP/1.1 101 Switching Protocols", b"Connection: Upgrade", b"Upgrade: " + upgrade]
    lines.append(b"Sec-WebSocket-Accept: " + accept)
    return b"\r\n".join(lines) + b"\r\n" + more + b"\r\n"


def field(head: bytes, name: bytes) -> bytes:
    """A field's value in a request's head; empty where it is not there."""
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.lower() == name:
            return value.strip()
    return b""


def ws_frame(opcode: int, payload: bytes = b"", fin: bool = True, reserved: int = 0, mask: bytes = b"") -> bytes:
    """One frame (RFC 6455 §5.2). reserved: the three bits RSV1 to RSV3; mask: four bytes, empty for none."""
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    masked = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = bytes([first, masked | size])
    elif size < 1 << 16:
        head = bytes([first, masked | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, masked | 127]) + size.to_bytes(8, "big")
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return head + mask + body


class Side:
    """A server's side of one connection: bytes in whole pieces."""

    def __init__(self, connection: socket.socket, data: bytes = b"") -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece is a segment of its own
        self.connection = connection
        self._buffer = data

    def say(self, data: bytes) -> None:
        """Send; that the client has gone meanwhile is no news to a script that goes on to listen."""
        with suppress(ConnectionError):
            self.connection.sendall(data)

    def exactly(self, size: int) -> bytes:
        """Exactly this number of bytes; raises ConnectionError where the client closes before."""
        while len(self._buffer) < size:
            more = self.connection.recv(1 << 16)
            if not more:
                raise ConnectionAbortedError
            self._buffer += more
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def reset(self) -> None:
        """Close with RST."""
        reset_at_close(self.connection)
        self.connection.close()


class WebSocketSide(Side):
    """close_code: of the client's Close frame; 0 where it was empty, None where none came. pongs: what they held."""

    def __init__(self, connection: socket.socket, data: bytes = b"") -> None:
        super().__init__(connection, data)
        self.close_code: int | None = None
        self.pongs: list[bytes] = []
        self.unmasked = 0

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """The client's frames, opcode and payload, until it closes."""
        while True:
            try:
                first, second = self.exactly(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(self.exactly(2 if size == 126 else 8), "big")
                self.unmasked += not second & 0x80
                mask = self.exactly(4) if second & 0x80 else b"\0\0\0\0"
                coded = self.exactly(size)
            except OSError:
                return
            payload = _unmask(coded, mask)
            opcode = first & 0x0F
            if opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
            elif opcode == PONG:
                self.pongs.append(payload)
            yield opcode, payload

    def message(self) -> bytes:
        """The client's next message, which is one frame; raises ConnectionError where there is none."""
        for opcode, payload in self.frames():
            if opcode in (TEXT, BINARY):
                return payload
            if opcode == CLOSE:
                self.say(ws_frame(CLOSE, payload))
                break
        raise ConnectionAbortedError

    def listen(self) -> None:
        """Hear the client out."""
        for _ in self.frames():
            pass


def _unmask(coded: bytes, mask: bytes) -> bytes:
    key = int.from_bytes((mask * (len(coded) // 4 + 1))[: len(coded)], "big")
    return (int.from_bytes(coded, "big") ^ key).to_bytes(len(coded), "big")


class Http2Side(Side):
    """goaway, resets: the error codes that the client sent, by stream; None where it said no GOAWAY.

    pongs: acknowledged PINGs; windows: bytes added to the connection's window, and to streams', by stream.
    """

    def __init__(self, connection: socket.socket, data: bytes = b"") -> None:
        super().__init__(connection, data)
        self.goaway: int | None = None
        self.resets: dict[int, int] = {}
        self.pongs: list[bytes] = []
        self.windows: dict[int, int] = {}
        self._greeted = False
        self._encoder = hpack.Encoder()

    def frames(self) -> Iterator[Frame]:
        """The client's frames behind its preface, until it closes."""
        try:
            if not self._greeted and self.exactly(len(PREFACE)) != PREFACE:
                while self.connection.recv(1 << 16):  # it speaks HTTP/1.1
                    pass
                return
            self._greeted = True
            while True:
                head = self.exactly(9)
                frame, size = Frame.parse_frame_header(memoryview(head))
                frame.parse_body(memoryview(self.exactly(size)))
                self._note(frame)
                yield frame
        except OSError:
            return

    def streams(self) -> Iterator[int]:
        """The numbers of the streams that the client opens, each once its request is complete."""
        for frame in self.frames():
            if isinstance(frame, (HeadersFrame, DataFrame)) and "END_STREAM" in frame.flags:
                yield frame.stream_id

    def say_frames(self, *frames: Frame) -> None:
        self.say(b"".join(frame.serialize() for frame in frames))

    def settings(self, acknowledge: bool = True, **values: int) -> None:
        """Our SETTINGS, by their names in RFC 9113 §6.5.2 in lower case, and the acknowledgement of the client's."""
        frame = SettingsFrame(0, {getattr(SettingsFrame, name.upper()): value for name, value in values.items()})
        self.say_frames(frame, *([SettingsFrame(0, flags=["ACK"])] if acknowledge else []))

    def head(self, stream: int, *fields: tuple[str, str], ends: bool = False) -> HeadersFrame:
        """The HEADERS frame of a response, 200 where no fields are given."""
        block = self._encoder.encode(fields or ((":status", "200"),), huffman=False)
        return HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"] if ends else ["END_HEADERS"])

    def answer(self, stream: int, body: bytes = b"hello") -> None:
        self.say_frames(self.head(stream), DataFrame(stream, body, flags=["END_STREAM"]))

    def listen(self) -> None:
        """Hear the client out."""
        for _ in self.frames():
            pass

    def _note(self, frame: Frame) -> None:
        if isinstance(frame, GoAwayFrame):
            self.goaway = frame.error_code
        elif isinstance(frame, RstStreamFrame):
            self.resets[frame.stream_id] = frame.error_code
        elif isinstance(frame, PingFrame) and "ACK" in frame.flags:
            self.pongs.append(frame.opaque_data)
        elif isinstance(frame, WindowUpdateFrame):
            self.windows[frame.stream_id] = self.windows.get(frame.stream_id, 0) + frame.window_increment


def random_mask() -> bytes:
    return os.urandom(4)


# Independent servers


_ECHO = """
import asyncio, json, sys
from websockets.asyncio.server import serve
seen = []

async def echo(connection):
    mine = {"messages": 0, "code": None, "cookie": connection.request.headers.get("Cookie"), "size": 0}
    seen.append(mine)
    try:
        async for message in connection:
            mine["messages"] += 1
            mine["size"] += len(message)
            await connection.send("another" if connection.request.path == "/another" else message)
    finally:
        await connection.wait_closed()
        mine["code"] = connection.protocol.close_rcvd.code if connection.protocol.close_rcvd else None

def set_cookie(connection, request, response):
    response.headers["Set-Cookie"] = "seen=yes"

async def main():
    async with serve(echo, "127.0.0.1", 0, compression=None, process_response=set_cookie) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(seen), flush=True)

asyncio.run(main())
"""


class EchoServer:
    """The WebSocket server of the library websockets, which at /another answers with something else than an echo."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"

    def end(self) -> list[dict[str, Any]]:
        """End it; gives what it saw of each connection: messages, their bytes, code of our Close frame, cookie."""
        out, _ = self._process.communicate(timeout=20)
        seen: list[dict[str, Any]] = json.loads(out)
        return seen

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def echo_server() -> Iterator[EchoServer]:
    if importlib.util.find_spec("websockets.asyncio") is None:
        pytest.skip("websockets is not installed (pip install websockets)")
    server = EchoServer()
    try:
        yield server
    finally:
        server.kill()


# An ASGI application knows a connection by its port alone: each acceptance begins a new one of that port.
_COUNTING = """
import asyncio, json, socket
seen, latest, accept = [], {}, socket.socket.accept

def counted(listener):
    connection, peer = accept(listener)
    latest[peer[1]] = None
    return connection, peer

socket.socket.accept = counted

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["path"] == "/stats":
        body = json.dumps(seen).encode()
    else:
        port = scope["client"][1]
        if latest.get(port) is None:
            latest[port] = {"requests": 0, "in_flight": 0, "most": 0, "versions": [], "size": 0, "cookies": []}
            seen.append(latest[port])
        mine, fields = latest[port], dict(scope["headers"])
        mine["requests"] += 1
        mine["in_flight"] += 1
        mine["most"] = max(mine["most"], mine["in_flight"])
        mine["versions"] = sorted({*mine["versions"], scope["http_version"]})
        mine["cookies"] = sorted({*mine["cookies"], fields.get(b"cookie", b"").decode()})
        while True:
            part = await receive()
            mine["size"] += len(part.get("body", b""))
            if not part.get("more_body"):
                break
        await asyncio.sleep(0.002)
        mine["in_flight"] -= 1
        body = b"hello"
    length = [(b"content-length", b"%d" % len(body)), (b"set-cookie", b"seen=yes")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})
"""


@dataclass(frozen=True, slots=True)
class Counting:
    """A server that answers after 2 ms and counts, by connection: requests, most in flight, versions, body bytes."""

    url: str

    def account(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}stats", timeout=20) as response:
            seen: list[dict[str, Any]] = json.load(response)
        return seen


@contextmanager
def counting_server(folder: Path, module: str) -> Iterator[Counting]:
    """hypercorn, which takes HTTP/2 in clear both ways, or uvicorn, which knows HTTP/1.1 alone."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install {module})")
    folder.mkdir()
    (folder / "counting.py").write_text(_COUNTING, encoding="utf-8")
    port = free_port()
    bind = ["--bind", f"127.0.0.1:{port}"] if module == "hypercorn" else ["--port", f"{port}", "--loop", "asyncio"]
    with server_process([sys.executable, "-m", module, "counting:app", *bind], folder, port):
        yield Counting(f"http://127.0.0.1:{port}/")


@contextmanager
def nghttpd(folder: Path, *options: str, tls: bool = False) -> Iterator[str]:
    """nghttp2's server with a file of five bytes; gives its URL. It has no way to HTTP/2 but ALPN or none at all."""
    program = installed("nghttpd", "nghttp2-server")
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("hello", encoding="ascii")
    port = free_port()
    command = [program, "-a", "127.0.0.1", "-d", str(folder), *options]
    if tls:
        write_certificates(folder)
        command += [f"{port}", str(folder / "key.pem"), str(folder / "chain.pem")]
    else:
        command += ["--no-tls", f"{port}"]
    with server_process(command, folder, port):
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/"


@contextmanager
def nghttpx(folder: Path) -> Iterator[str]:
    """nghttp2's proxy before its server: it takes upgrades from HTTP/1.1; gives its URL."""
    program = installed("nghttpx", "nghttp2-proxy")
    with nghttpd(folder) as behind:
        port, server = free_port(), behind.rsplit(":", 1)[1].rstrip("/")
        command = [program, f"--frontend=127.0.0.1,{port};no-tls", f"--backend=127.0.0.1,{server};;proto=h2"]
        command += ["--workers=1", "--single-process", "--conf=/dev/null", f"--accesslog-file={folder}/access.log"]
        command.append("--accesslog-format=$remote_port $protocol_version $status")
        with server_process(command, folder, port):
            yield f"http://127.0.0.1:{port}/"


_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 1000; }}
http {{
  log_format counts '$connection $connection_requests $server_protocol $upstream_bytes_sent $http_cookie';
  access_log {folder}/access.log counts; root {folder}; keepalive_requests 1000000; client_body_buffer_size 1m;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem; http2_max_concurrent_streams 4;
  server {{ listen 127.0.0.1:{h2} ssl http2; location / {{ add_header Set-Cookie seen=yes; return 200 "hello"; }}
    location /upload {{ proxy_pass http://127.0.0.1:{inner}; }} }}
  server {{ listen 127.0.0.1:{limited} ssl http2; keepalive_requests 10; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{inner}; access_log off; location / {{ return 200 "hello"; }} }}
  server {{ listen 127.0.0.1:{plain} ssl; location / {{ return 200 "hello"; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx2:
    """nginx over TLS. h2: four streams at a time, takes what is sent to /upload; limited: ten requests a connection.

    plain: HTTP/1.1 alone.
    """

    folder: Path
    h2: str
    limited: str
    plain: str

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def log(self) -> list[list[str]]:
        """Each request's connection, its place on that, protocol, bytes that were passed on, and cookie."""
        lines = (self.folder / "access.log").read_text(encoding="utf-8").splitlines()
        return [line.split(" ") for line in lines]


@contextmanager
def nginx2(folder: Path) -> Iterator[Nginx2]:
    program = nginx_program()
    folder.mkdir()
    folder.chmod(0o755)
    write_certificates(folder)
    ports = {name: free_port() for name in ("h2", "limited", "plain", "inner")}
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, **ports), encoding="utf-8")
    with server_process([program, "-c", str(folder / "nginx.conf")], folder, ports["h2"]):
        yield Nginx2(folder, *(f"https://127.0.0.1:{ports[name]}/" for name in ("h2", "limited", "plain")))


def http2_script(connection: socket.socket, does: Callable[[Http2Side], None] | None) -> Http2Side:
    """A good server answers each stream; a bad one does what it does, then hears the client out."""
    side = Http2Side(connection)
    try:
        if does is None:
            side.settings()
            for number in side.streams():
                side.answer(number)
        else:
            does(side)
            side.listen()
    except OSError:
        pass
    return side
