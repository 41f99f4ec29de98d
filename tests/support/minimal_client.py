"""A client of a request's system calls and nothing else, with a stamp before and after: what the kernel alone adds.

One connection after the other, on one epoll instance. Records durations and nothing else.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL

from loadgen.measure.data.packet_errors import CONNECT, SEND_WAIT, TLS
from loadgen.measure.data.packet_times import PacketConnection

KEEP = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
_PATIENCE_S = 5.0


@dataclass(slots=True)
class MinimalClient:
    """Its durations (ns), in the order in which they were measured. context: of TLS; None in clear."""

    port: int
    context: SSL.Context | None = None
    connect: list[int] = field(default_factory=list)
    tls: list[int] = field(default_factory=list)
    send_wait: list[list[int]] = field(default_factory=list)
    """Of each connection, request by request."""

    def run(self, connections: int, requests: int) -> None:
        """`connections` with one request each, then one with as many `requests`."""
        for number in (*[1] * connections, requests):
            self._connection(number)

    def errors(self, seen: list[PacketConnection]) -> dict[str, list[int]]:
        """By how much its durations exceed the packets of its connections, which are the last ones of `seen`."""
        own = seen[-len(self.connect) :]
        found: dict[str, list[int]] = {CONNECT: [], TLS: [], SEND_WAIT: []}
        for number, one in enumerate(own):
            found[CONNECT].append(self.connect[number] - (one.connect_ns or 0))
            if self.tls:
                found[TLS].append(self.tls[number] - (one.tls_ns or 0))
        # Of the last connection alone, whose later responses no session ticket is mixed with.
        for took_ns, exchange in list(zip(self.send_wait[-1], own[-1].exchanges, strict=True))[1:]:
            found[SEND_WAIT].append(took_ns - ((exchange.response_ns or 0) - exchange.request_ns))
        return found

    def _connection(self, requests: int) -> None:
        poll = select.epoll()
        link = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(link.fileno(), select.EPOLLOUT)
        begun_ns = time.monotonic_ns()
        link.connect_ex(("127.0.0.1", self.port))
        poll.poll(_PATIENCE_S)
        self.connect.append(time.monotonic_ns() - begun_ns)
        poll.modify(link.fileno(), select.EPOLLIN)
        stream: Any = link if self.context is None else self._handshake(link, poll)
        self.send_wait.append([self._exchange(stream, poll, last=left == 0) for left in reversed(range(requests))])
        link.close()
        poll.close()

    def _handshake(self, link: socket.socket, poll: select.epoll) -> SSL.Connection:
        stream = SSL.Connection(self.context, link)  # type: ignore[arg-type] # there is one
        stream.set_connect_state()
        begun_ns = time.monotonic_ns()
        while True:
            try:
                stream.do_handshake()
            except SSL.WantReadError:
                poll.poll(_PATIENCE_S)
            else:
                break
        self.tls.append(time.monotonic_ns() - begun_ns)
        return stream

    def _exchange(self, stream: Any, poll: select.epoll, *, last: bool) -> int:
        begun_ns = time.monotonic_ns()
        stream.send(CLOSE if last else KEEP)
        poll.poll(_PATIENCE_S)
        took_ns = time.monotonic_ns() - begun_ns
        data = b""
        while not data:
            try:
                data = stream.recv(1 << 16)
            except SSL.WantReadError:  # that was a session ticket
                poll.poll(_PATIENCE_S)
        return took_ns
