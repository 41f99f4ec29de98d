"""A small HTTP/1.1 server for scripts that gets messages right, so that a test changes one thing about them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

from tests.support.processes import reset_at_close

CLOSE = b"Connection: close\r\n"
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


class Peer:
    """The client's side of one connection, read request by request."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.requests = 0
        """For an answer that counts them."""
        self._received = b""

    def head(self) -> bytes:
        """The next head with its empty line; empty where the client has closed."""
        return self._until(b"\r\n\r\n")

    def content(self, head: bytes) -> bytes:
        """The content that a head announces."""
        found = _LENGTH.search(head)
        size = 0 if found is None else int(found[1])
        while len(self._received) < size and self._more():
            pass
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    @property
    def waiting(self) -> bytes:
        """What came with the last head and was not read yet."""
        return self._received

    def drop(self) -> None:
        """Throw that away."""
        self._received = b""

    def reset(self) -> None:
        """End the connection by RST."""
        reset_at_close(self.connection)
        self.connection.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            if not self._more():
                return b""
        taken, _, self._received = self._received.partition(end)
        return taken + end

    def _more(self) -> bool:
        data = self.connection.recv(65_536)
        self._received += data
        return bool(data)


Answer = Callable[[Peer, bytes], bytes]
"""Gets the peer and a head, and gives the bytes of the response; empty ends the connection."""


def response(status: str = "200 OK", fields: bytes = b"", content: bytes = b"hello") -> bytes:
    """A response as bytes, with its length."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(content), fields, content)


def right_answer(peer: Peer, head: bytes) -> bytes:
    """What a server answers that keeps all the rules."""
    method = head.split(b" ", 1)[0]
    if method not in (b"GET", b"HEAD", b"OPTIONS"):
        return response("400 Bad Request", CLOSE)
    if b"\r\nExpect: 100-continue\r\n" in head:
        peer.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    peer.content(head)
    if method == b"OPTIONS":
        return b"HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n"
    if b'\r\nIf-None-Match: "one"\r\n' in head:
        return b'HTTP/1.1 304 Not Modified\r\nETag: "one"\r\n\r\n'
    answer = response(fields=b'ETag: "one"\r\n')
    return answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else answer


def serves(answer: Answer = right_answer, *, skips_empty_lines: bool = True) -> Callable[[socket.socket, int], None]:
    """A script for `scripted_server`."""

    def script(connection: socket.socket, _number: int) -> None:
        peer = Peer(connection)
        while head := peer.head():
            data = answer(peer, head.lstrip(b"\r\n") if skips_empty_lines else head)
            if not data:
                return
            connection.sendall(data)
            if CLOSE in data:
                return

    return script
