"""A non-blocking byte stream on gevent's loop: TCP here, TLS over it in tls.py. Knows no HTTP and no phase.

The seam between connection and kernel is Transport; tests put a fake there.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import IntEnum
from errno import EAFNOSUPPORT, EAGAIN, ECONNRESET, EINPROGRESS, EPIPE
from typing import Any

from gevent.monkey import get_original

from loadgen.model.records import ABSENT
from loadgen.wire.kernel_times import ask_for_stamps, round_trip_ns, stamped_ns
from loadgen.wire.poller import NOTHING, READ, READ_SIZE, WRITE, Poller, Watch
from loadgen.wire.syscalls import (
    close,
    connect,
    is_connected,
    open_socket,
    os_error,
    packed_address,
    receive,
    send,
    send_view,
    socket_file,
)

__all__ = ["NOTHING", "READ", "READ_SIZE", "WOULD_BLOCK", "WRITE", "SocketAddress", "Step", "TcpTransport", "Transport"]

# The interpreter's own classes, even where something (Locust, for one) has monkey-patched the modules. The C class
# has no Python layer above each call.
_Socket: type[Any] = get_original("socket", "SocketType")
_Poll: Any = get_original("select", "poll")
_POLLOUT = 4
_AF_UNIX = int(socket.AF_UNIX)

WOULD_BLOCK = -1
"""What `receive` and `send` give where they would have to wait."""
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the socket module names it only from Python 3.12 on
# The errors of a connection that its peer has reset; one that never was gets others.
_RESETS = (ECONNRESET, EPIPE)

SocketAddress = tuple[int, tuple[Any, ...]]
"""An address family and what goes with it: address and port of IP; the name of a socket file, or `@` and that of an
abstract socket."""


COMPILED = not __file__.endswith(".py")
_last_address: SocketAddress | None = None
_last_packed = b""


class Step(IntEnum):
    """What `Transport.establish` says comes next."""

    OPEN = 0  # ready for application data
    BEGIN_TLS = 1  # TCP is up, a TLS handshake follows: call establish again
    WANT_READ = 2
    WANT_WRITE = 3
    BEGIN_TUNNEL = 4  # TCP to the proxy is up, the request for a tunnel follows: call establish again


# Plain names: looking a member up on the Enum class costs more.
OPEN, BEGIN_TLS, WANT_READ, WANT_WRITE, BEGIN_TUNNEL = Step


class Transport:
    """One byte stream. Its methods may raise OSError."""

    __slots__ = ("buffer", "connected_ns", "is_cut_off", "options", "stamps_arrivals")

    def __init__(self, buffer: bytearray) -> None:
        self.buffer = buffer
        """Where `receive` puts what it reads, until it is called again for this or another transport."""
        self.stamps_arrivals = False
        """To be set before `connect`: the kernel notes when bytes arrive (see `arrival_ns`)."""
        self.options: tuple[tuple[int, int, Any], ...] = ()
        """To be set before `connect`: what is set of the socket, each as setsockopt takes it."""
        self.connected_ns = 0
        """When it was found connected as `connect` returned (ns); 0 where the handshake was still under way."""
        self.is_cut_off = False
        """The stream's end was not announced where the protocol announces it, so bytes before it may be missing."""

    @property
    def socket(self) -> Any:
        """The socket itself, to read what the kernel knows of it; None where there is none, or it is closed."""
        return None

    def connect(self, address: SocketAddress, callback: Callable[[], None]) -> int:
        """Begin to connect, and call back when that is decided; gives the time (ns) just before connect(2)."""
        raise NotImplementedError

    def establish(self) -> Step:
        """Take the next step towards an open stream. Raises OSError or TlsFailure."""
        raise NotImplementedError

    def receive(self) -> int:
        """Read once into the buffer: how many bytes, 0 at the end of the stream, WOULD_BLOCK where none is there."""
        raise NotImplementedError

    def send(self, data: bytes | memoryview) -> int:
        """How many bytes were taken, WOULD_BLOCK where none could be."""
        raise NotImplementedError

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        """Call back whenever the stream is readable (READ) or writable (WRITE), or never (NOTHING).

        Replaces the earlier watch.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the client's side; safe to call twice."""
        raise NotImplementedError

    def was_connected(self) -> bool:
        """The kernel has connected it, whether or not that was told of, and whether or not it still is."""
        return False

    def first_rtt_ns(self) -> int:
        """The round trip of SYN and SYN/ACK as the kernel measured it (ns), to be asked for once connected."""
        return ABSENT

    def arrival_ns(self) -> int:
        """When the first unread byte arrived at this machine (ns, monotonic); ABSENT where the kernel did not note it.

        Reads nothing: a system call of its own, for a share of the responses.
        """
        return ABSENT


class TcpTransport(Transport):
    """Plain TCP, or a socket file. accepted: a server's socket, used as it is.

    source: a local address to connect from for each family of the peer's addresses; None to leave that to the kernel.
    """

    __slots__ = ("_descriptor", "_poller", "_socket", "_source", "_watch")

    def __init__(self, poller: Poller, accepted: Any = None, source: Mapping[int, str] | None = None) -> None:
        Transport.__init__(self, poller.buffer)
        self._poller = poller
        self._socket: Any = None
        self._descriptor = -1
        self._source = source
        self._watch: Watch | None = None
        if accepted is not None:
            self._adopt(accepted)

    @property
    def socket(self) -> Any:
        if self._socket is None and self._descriptor >= 0:
            # Compiled, a connection is opened without one, for what it would cost.
            self._socket = _Socket(fileno=self._descriptor)
        return self._socket

    def connect(self, address: SocketAddress, callback: Callable[[], None]) -> int:
        family, sockaddr = address
        if COMPILED:
            descriptor = open_socket(family)
            if descriptor < 0:
                raise os_error(-descriptor)
            self._descriptor = descriptor
            self._watch = Watch(self._poller, descriptor)
        else:
            # Created non-blocking: one system call less than with setblocking.
            sock = _Socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0)
            self._adopt(sock)
            if family != _AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._source is not None:
            if family not in self._source:
                raise os_error(EAFNOSUPPORT)
            # Defer the choice of a port to connect(), so that ports need be unique only per four-tuple.
            self.socket.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((self._source[family], 0))
        if self.stamps_arrivals:
            ask_for_stamps(self.socket)
        for level, option, value in self.options:
            self.socket.setsockopt(level, option, value)
        # Before connect(2), so that nothing of ours follows it; until then epoll has only a hang-up to report, and
        # nobody asks it.
        self._watch.set(WRITE, callback)  # type: ignore[union-attr] # there is one since the socket is
        packed = _packed(address) if COMPILED else b""
        begun_ns = self._poller.monotonic_ns()
        code = -connect(self._descriptor, packed) if COMPILED else _connect(self._socket, family, sockaddr)
        if code not in (0, EINPROGRESS):
            raise os_error(code)
        # On loopback the whole handshake is done within connect(2). The loop would tell of it a turn later, and that
        # turn, much longer than the handshake, would be a part of the phase.
        if is_connected(self._descriptor) if COMPILED else _is_connected(self._descriptor):
            self.connected_ns = self._poller.monotonic_ns()
        return begun_ns

    def establish(self) -> Step:
        # A socket that is writable and has no error to report is connected.
        if self._poller.events != WRITE:
            code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise os_error(code)
        return OPEN

    def receive(self) -> int:
        if not COMPILED:
            try:
                return os.readv(self._descriptor, (self.buffer,))
            except BlockingIOError:
                return WOULD_BLOCK
        size = receive(self._descriptor, self.buffer)
        return size if size >= 0 else _unless_would_block(size)

    def send(self, data: bytes | memoryview) -> int:
        if not COMPILED:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                return WOULD_BLOCK
        if type(data) is bytes:  # noqa: SIM108 # for C
            size = send(self._descriptor, data)
        else:
            size = send_view(self._descriptor, memoryview(data))
        return size if size >= 0 else _unless_would_block(size)

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self._watch.set(event, callback)  # type: ignore[union-attr] # there is one since the socket is

    def close(self) -> None:
        descriptor = self._descriptor
        if descriptor < 0:
            return
        self._watch.forget()  # type: ignore[union-attr] # there is one since the socket is
        self._descriptor = -1
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()
        else:
            close(descriptor)

    def end_writing(self) -> None:
        """Close this side alone, with all that its protocol says at its end; the peer may go on sending."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def was_connected(self) -> bool:
        if self.socket is None:
            return False
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return code in _RESETS
        try:
            self.socket.getpeername()
        except OSError:
            return False
        return True

    def first_rtt_ns(self) -> int:
        return round_trip_ns(self.socket)

    def arrival_ns(self) -> int:
        return stamped_ns(self.socket)

    def _adopt(self, sock: Any) -> None:
        self._socket = sock
        self._descriptor = sock.fileno()
        self._watch = Watch(self._poller, self._descriptor)


def _is_connected(descriptor: int) -> bool:
    """syscalls.is_connected in pure Python."""
    one = _Poll()
    one.register(descriptor, _POLLOUT)
    return bool(one.poll(0) == [(descriptor, _POLLOUT)])


def _packed(address: SocketAddress) -> bytes:
    """The address as connect(2) takes it; nearly all connections of a run go to the same one."""
    global _last_address, _last_packed
    if address is not _last_address:
        _last_packed = packed_address(*address)
        _last_address = address
    return _last_packed


def _unless_would_block(failure: int) -> int:
    """WOULD_BLOCK for what the kernel says where it would have to wait; raises OSError for any other -errno."""
    if failure == -EAGAIN:
        return WOULD_BLOCK
    raise os_error(-failure)


def _connect(sock: Any, family: int, address: tuple[Any, ...]) -> int:
    """syscalls.connect in pure Python: 0, or the error's number."""
    code: int = sock.connect_ex(socket_file(address[0]) if family == _AF_UNIX else address)
    return code
