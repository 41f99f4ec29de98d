"""The embedded target's server: accepts, reads requests, answers, closes as its behaviour says. No command line."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import gevent
from gevent.monkey import get_original

from loadgen.model.units import NS_PER_S
from loadgen.target.behaviour import STATS_PATH, Behaviour
from loadgen.wire.errors import TlsFailure
from loadgen.wire.head import Malformed, RequestHead
from loadgen.wire.http1 import RequestReader
from loadgen.wire.tls import TlsTransport
from loadgen.wire.transport import READ, READ_SIZE, WRITE, Step, TcpTransport, Transport

_STATS_PATH = STATS_PATH.encode("ascii")
_MAX_BODY_BYTES = 1 << 30
_BACKLOG = 8192
_ACCEPTS_A_TURN = 64
_LARGEST_BODY_BYTES = 64 << 20
_MOST_REMEMBERED = 64


@lru_cache(256)
def _size_asked(path: bytes) -> int | None:
    """The size that a request's query asks for, as in `/?size=1000`; None where it asks for none."""
    _, _, query = path.partition(b"?")
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"size" and value.isdigit():
            return min(int(value[:12]), _LARGEST_BODY_BYTES)
    return None


@lru_cache(16)
def _body(size_bytes: int) -> bytes:
    return (b"loadgen " * (size_bytes // 8 + 1))[:size_bytes]


class ServerConnection:
    """One accepted connection. Requests are answered in order, one at a time (RFC 9112 §9.3.2)."""

    __slots__ = (
        "_closing",
        "_delay",
        "_reader",
        "_server",
        "_unsent",
        "last_ns",
        "served",
        "transport",
        "uncounted",
    )

    def __init__(self, server: TargetServer, transport: Transport) -> None:
        self._server = server
        self._reader = RequestReader(_MAX_BODY_BYTES)
        self._unsent: bytes | memoryview = b""
        self._closing = False
        self._delay: Any = None
        self.transport = transport
        self.served = 0
        self.uncounted = False
        self.last_ns = time.monotonic_ns()

    @property
    def busy(self) -> bool:
        """A request is in service or its response on the way."""
        return self._delay is not None or bool(self._unsent)

    def begin_tls(self) -> None:
        """Take the next step of the TLS handshake."""
        try:
            step = self.transport.establish()
        except (OSError, TlsFailure):
            self.close()
            return
        if step is Step.OPEN:
            self.transport.watch(READ, self.on_readable)
            self.on_readable()
        else:
            self.transport.watch(READ if step is Step.WANT_READ else WRITE, self.begin_tls)

    def on_readable(self) -> None:
        try:
            data = self.transport.recv(READ_SIZE)
        except BlockingIOError:
            return
        except (OSError, TlsFailure):
            self.close()
            return
        if not data:
            self.close()
            return
        self.last_ns = time.monotonic_ns()
        self._reader.feed(data)
        self._serve()

    def close(self) -> None:
        if self._delay is not None:
            self._delay.close()
            self._delay = None
        self._closing = True
        self.transport.close()
        self._server.forget(self)

    def _serve(self) -> None:
        """Answer requests until one must wait: for its bytes, for its service time, for room to write."""
        reader = self._reader
        try:
            while self._delay is None and not self._unsent and not self._closing:
                request = reader.next_request()
                if request is None:
                    if reader.wants_continue:
                        reader.wants_continue = False
                        self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
                    return
                if self._server.behaviour.delay_ns and not request.path.startswith(_STATS_PATH):
                    self._answer_later(request)
                else:
                    self._answer(request)
        except Malformed as error:
            self._closing = True
            body = str(error).encode()
            self._send(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
            )

    def _answer_later(self, request: RequestHead) -> None:
        self._delay = gevent.get_hub().loop.timer(self._server.behaviour.delay_ns / NS_PER_S)

        def due() -> None:
            self._delay.close()
            self._delay = None
            self._answer(request)
            self._serve()

        self._delay.start(due)

    def _answer(self, request: RequestHead) -> None:
        server = self._server
        if request.path == _STATS_PATH:
            # Whoever asks for the account must not change it.
            self.uncounted = True
            self._send(server.stats_response())
            return
        self.served += 1
        behaviour = server.behaviour
        persists = request.persists or (behaviour.ignore_close and request.version == "1.1")
        says = persists
        if behaviour.close_after and self.served >= behaviour.close_after:
            persists = False
            says = says and behaviour.silent
        self._closing = not persists
        field = behaviour.keep_alive_field(self.served)
        size_bytes = _size_asked(request.path) if b"size=" in request.path else None
        self._send(server.response(request.method == b"HEAD", says, field, size_bytes))

    def _send(self, data: bytes | memoryview) -> None:
        self.last_ns = time.monotonic_ns()
        try:
            sent = self.transport.send(data)
        except BlockingIOError:
            sent = 0
        except (OSError, TlsFailure):
            self.close()
            return
        if sent < len(data):
            # A view: copying the rest for each TLS record would cost the square of a long body's length.
            self._unsent = memoryview(data)[sent:]
            self.transport.watch(WRITE, self._on_writable)
        elif self._closing:
            self.close()

    def _on_writable(self) -> None:
        data, self._unsent = self._unsent, b""
        self._send(data)
        if not self._unsent and not self._closing:
            self.transport.watch(READ, self.on_readable)
            self._serve()


class TargetServer:
    """Listens and keeps the account. `tls_context` makes it an https server. Raises OSError if it can't listen."""

    def __init__(self, host: str, port: int, behaviour: Behaviour, tls_context: Any = None) -> None:
        self.behaviour = behaviour
        self._tls_context = tls_context
        self._open: set[ServerConnection] = set()
        self._accepted = 0
        self._requests_of_closed: Counter[int] = Counter()
        self._responses: dict[tuple[bool, bool, bytes, int | None], bytes] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = get_original("socket", "socket")(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        loop = gevent.get_hub().loop
        self._watcher = loop.io(self._listener.fileno(), READ)
        self._watcher.start(self._accept)
        # The Date field changes each second, so remembered responses live that long.
        self._clock = loop.timer(1.0, 1.0)
        self._clock.start(self._responses.clear)
        if behaviour.idle_timeout_ns:
            tick_s = min(0.1, max(0.001, behaviour.idle_timeout_ns / NS_PER_S / 20))
            self._sweep = loop.timer(tick_s, tick_s)
            self._sweep.start(self._close_idle)

    def response(self, head_only: bool, persists: bool, keep_alive: bytes, size_bytes: int | None = None) -> bytes:
        """The octets of one response, with a body of `size_bytes` where the request asked for that."""
        key = (head_only, persists, keep_alive, size_bytes)
        response = self._responses.get(key)
        if response is None:
            body = _body(self.behaviour.size_bytes if size_bytes is None else size_bytes)
            head = (
                b"HTTP/1.1 200 OK\r\nServer: loadgen\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
                % (formatdate(usegmt=True).encode(), len(body))
            )
            option = b"Connection: keep-alive\r\n" + keep_alive if persists else b"Connection: close\r\n"
            response = head + option + b"\r\n" + (b"" if head_only else body)
            if len(self._responses) < _MOST_REMEMBERED:
                self._responses[key] = response
        return response

    def stats_response(self) -> bytes:
        """The account, as the response to a request for STATS_PATH."""
        body = json.dumps(self.stats()).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def stats(self) -> dict[str, Any]:
        """Accepted and open connections, requests, and how many connections carried how many requests."""
        per_connection = self._requests_of_closed + Counter(one.served for one in self._open if not one.uncounted)
        uncounted = sum(one.uncounted for one in self._open)
        return {
            "accepted": self._accepted - uncounted,
            "open": len(self._open) - uncounted,
            "requests": sum(requests * count for requests, count in per_connection.items()),
            "requests_per_connection": {str(requests): per_connection[requests] for requests in sorted(per_connection)},
        }

    def forget(self, connection: ServerConnection) -> None:
        """A connection has closed."""
        if connection in self._open:
            self._open.discard(connection)
            if connection.uncounted:
                self._accepted -= 1
            else:
                self._requests_of_closed[connection.served] += 1

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._watcher.close()
        self._listener.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, _address = self._listener.accept()
            except OSError:  # none is waiting, or it went away, or no descriptor is left: try again when readable
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._accepted += 1
            transport: Transport
            if self._tls_context is None:
                connection = ServerConnection(self, transport := TcpTransport(sock))
                begin: Callable[[], None] = connection.on_readable
            else:
                connection = ServerConnection(self, transport := TlsTransport(self._tls_context, None, accepted=sock))
                begin = connection.begin_tls
            self._open.add(connection)
            transport.watch(READ, begin)

    def _close_idle(self) -> None:
        oldest_ns = time.monotonic_ns() - self.behaviour.idle_timeout_ns
        for connection in [one for one in self._open if one.last_ns < oldest_ns and not one.busy]:
            connection.close()
