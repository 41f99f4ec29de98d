"""A reverse proxy of ours that keeps its connections to the origin and does not watch them, as some real ones do."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from loadgen.wire.http1.response_reader import ResponseReader
from tests.support.processes import read_request, scripted_server

_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


@dataclass
class CarelessProxy:
    """repeats: the share of GETs without a response that are sent again on a new connection (RFC 9110 §9.2.2)."""

    origin_port: int
    repeats: float = 0
    idle: list[socket.socket] = field(default_factory=list)
    """Connections to the origin that no request uses."""

    def __call__(self, client: socket.socket, _number: int) -> None:
        while request := read_request(client):
            client.sendall(self._forwarded(request))

    def close(self) -> None:
        """Close the connections that no request uses."""
        while self.idle:
            self.idle.pop().close()

    def _forwarded(self, request: bytes) -> bytes:
        answer = self._asked(request)
        if not answer and request.startswith(b"GET ") and random.random() < self.repeats:
            self.close()
            answer = self._asked(request)
        return answer or _BAD_GATEWAY

    def _asked(self, request: bytes) -> bytes:
        """The origin's response as it came; empty where none came."""
        try:
            upstream = self.idle.pop()
        except IndexError:
            upstream = socket.create_connection(("127.0.0.1", self.origin_port), 20)
        reader, answer = ResponseReader(1 << 20), b""
        try:
            upstream.sendall(request)
            while data := upstream.recv(65536):
                answer += data
                if reader.feed(data, lambda _body: None):
                    self.idle.append(upstream)
                    return answer
        except OSError:
            pass
        upstream.close()
        return b""


@contextmanager
def careless_proxy(origin_port: int, *, repeats: float = 0) -> Iterator[str]:
    """Gives its URL."""
    proxy = CarelessProxy(origin_port, repeats)
    with scripted_server(proxy) as port:
        yield f"http://127.0.0.1:{port}/"
    proxy.close()
