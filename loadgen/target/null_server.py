"""A target that does nothing: one fixed response for each request head, at once. Knows no other protocol than HTTP/1.1.

It is what a generator can be measured against: what a request takes here is the machine's and the generator's own. One
epoll instance, no framework and no account. A request is all that comes until an empty line; bodies are not understood.
"""

from __future__ import annotations

import select
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import trustme

from loadgen.model.files import write_whole

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLOSING_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
_HEAD_END = b"\r\n\r\n"
_CLOSE = b"\r\nconnection: close"
_READ_BYTES = 1 << 16
_BACKLOG = 4096
_MAX_EVENTS = 256
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def tls_context(names: tuple[str, ...], ca_file: Path) -> ssl.SSLContext:
    """A server's context with a fresh certificate for `names`, whose authority's certificate goes to `ca_file` (PEM).

    It sends one session ticket for each handshake (RFC 8446 §4.6.1), so that sessions can be resumed. Raises OSError
    where the file can't be written.
    """
    authority = trustme.CA(organization_name="loadgen null target")
    write_whole(ca_file, lambda file: file.write(authority.cert_pem.bytes()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 1
    authority.issue_cert(*names).configure_cert(context)
    return context


class NullServer:
    """Listens from the start. Raises OSError where it can't."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._listener.setblocking(False)
        self._context = context
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._ends = False
        # What is sent on one wakes the poll by the other.
        self._wake, self._woken = socket.socketpair()
        self._watch(self._listener.fileno(), self._accept)
        self._watch(self._woken.fileno(), self._stop)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def end(self) -> None:
        """Have `serve` return; from a signal handler or another thread, too."""
        with suppress(OSError):
            self._wake.send(b"\0")

    def end_on(self, *numbers: int) -> None:
        """End when one of these signals comes."""
        for number in numbers:
            signal.signal(number, lambda *_: self.end())

    def end_at_eof(self, descriptor: int) -> None:
        """End when this descriptor, which nobody writes to, is closed at its other end."""
        self._watch(descriptor, self._stop)

    def serve(self) -> None:
        """Serve until it is to end."""
        handlers, poll = self._handlers, self._poll.poll
        while not self._ends:
            for descriptor, _ in poll(-1, _MAX_EVENTS):
                if handler := handlers.get(descriptor):
                    handler()

    def close(self) -> None:
        """Close what it listens on; the kernel closes the rest with the process."""
        self._poll.close()
        for one in (self._listener, self._wake, self._woken):
            one.close()

    def _stop(self) -> None:
        self._ends = True

    def _watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, select.EPOLLIN)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:  # nothing waits any more, or the client has gone
                return
            accepted.setblocking(False)
            with suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve_connection(accepted)

    def _serve_connection(self, accepted: socket.socket) -> None:
        """Watch a new connection; what it needs lies in the handler's own variables."""
        descriptor = accepted.fileno()
        if self._context is None:
            link = accepted
        else:
            link = self._context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
        receive, send = link.recv, link.send
        partial = b""

        def on_readable() -> None:
            nonlocal partial
            try:
                while data := receive(_READ_BYTES):
                    partial += data
                    # One head as a rule; a client that pipelines has its answers one by one.
                    while (end := partial.find(_HEAD_END)) >= 0:
                        head, partial = partial[:end], partial[end + len(_HEAD_END) :]
                        if _CLOSE in head.lower():
                            send(CLOSING_RESPONSE)
                            self._close(descriptor, link)
                            return
                        send(RESPONSE)
                    if self._context is None:
                        return  # in TLS OpenSSL may hold more, of which epoll does not know
            except _WOULD_BLOCK:
                return
            except OSError:
                pass
            self._close(descriptor, link)

        self._watch(descriptor, on_readable)

    def _close(self, descriptor: int, link: socket.socket) -> None:
        del self._handlers[descriptor]
        if isinstance(link, ssl.SSLSocket):
            with suppress(OSError):
                link.unwrap()  # close_notify (RFC 8446 §6.1); the client's own is not waited for
        link.close()
