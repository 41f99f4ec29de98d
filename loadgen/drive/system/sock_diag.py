"""Counts a target's TCP sockets by asking the kernel over netlink, sock_diag(7), which filters them by address itself.

Knows the states of sockets, and no policy, block or /proc. Raises OSError where the kernel refuses.

The layouts are those of linux/netlink.h and linux/inet_diag.h. The request is the older one of two kinds: only with it
one walk through the kernel's hash table covers IPv4 and IPv6, and while sockets are few the walk is the whole cost.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loadgen.drive.system.ports import Ip

_NETLINK_SOCK_DIAG = 4
_TCPDIAG_GETSOCK = 18
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQ_BYTECODE = 1
_BC_JMP, _BC_S_COND, _BC_D_COND = 1, 7, 8
# linux/include/net/tcp_states.h; the last state is 12, and a listening socket belongs to no connection.
_TIME_WAIT, _LISTEN = 6, 10
_CONNECTED = (1 << 13) - 1 & ~(1 << _LISTEN)

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=B51xII")  # inet_diag_req: family, (lengths, extensions, a socket), states, position
# nlmsghdr and inet_diag_msg: length 0, type 4, state 17, remote port 22, timer 68; attributes from 88.
_MESSAGE = struct.Struct("=IH11xB4xH44xI")
_ERROR = struct.Struct("=16xi")
_END_BYTES = 20
# The kernel gives at most 32 KiB at a time, and fills that only if the buffer is as large.
_BUFFER_BYTES = 1 << 16

SocketRow = tuple[int, int, int]  # state, remote port as it lies in memory, time left in ms


class Sockets(NamedTuple):
    """A target's sockets. client, server: those in TIME_WAIT; in_use: the client's in any state.

    reusable: those of `client` whose TIME_WAIT has no more than a given time left.
    """

    client: int
    server: int
    in_use: int
    reusable: int


class SockDiag:
    """Counts the sockets of connections with a target: port and address (None: any)."""

    def __init__(self, port: int, ip: Ip | None) -> None:
        self._request = _request(port, ip)
        self._remote_port = socket.htons(port)

    def count(self, left_s: float) -> Sockets:
        """Count now."""
        client = server = in_use = reusable = 0
        left_ms, remote_port = int(left_s * 1000), self._remote_port
        for rows in _replies(self._request):
            for state, port, expires_ms in rows:
                # One walk gives both ends, so the port tells them apart. It is wrong for a client at another address
                # whose port happens to be the target's: at most one socket in 28,000 for each such address.
                if port == remote_port:
                    in_use += 1
                    if state == _TIME_WAIT:
                        client += 1
                        reusable += expires_ms <= left_ms
                elif state == _TIME_WAIT:
                    server += 1
        return Sockets(client, server, in_use, reusable)


def _request(port: int, ip: Ip | None) -> bytes:
    """A request for the sockets of connections that have the target at the remote or at the local end."""
    remote, local = (_condition(end, port, ip) for end in (_BC_D_COND, _BC_S_COND))
    # If the remote end matches, fall through to the jump, which exits (accept); otherwise test the local end.
    program = remote + struct.pack("=BBH", _BC_JMP, 4, 4 + len(local)) + local
    body = _REQUEST.pack(socket.AF_UNSPEC, _CONNECTED, 0)
    body += struct.pack("=HH", 4 + len(program), _REQ_BYTECODE) + program
    return _HEADER.pack(_HEADER.size + len(body), _TCPDIAG_GETSOCK, _NLM_F_REQUEST_DUMP, 1, 0) + body


def _condition(end: int, port: int, ip: Ip | None) -> bytes:
    """inet_diag_bc_op and inet_diag_hostcond: matches the address and port at this end of a connection.

    On match continue after this op; on mismatch skip one word; running past the end means reject. The kernel matches an
    IPv4 address also where it is mapped to IPv6.
    """
    family, address = socket.AF_UNSPEC, b""
    if ip is not None:
        family, address = socket.AF_INET if ip.version == 4 else socket.AF_INET6, ip.packed
    host = struct.pack("=BBxxi", family, len(address) * 8, port) + address
    return struct.pack("=BBH", end, 4 + len(host), 8 + len(host)) + host


def _replies(request: bytes) -> Iterator[Iterable[SocketRow]]:
    """The kernel's reply, one buffer at a time."""
    buffer = bytearray(_BUFFER_BYTES)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as netlink:
        # The next part is ready as soon as recv has returned this one: nothing needs to wait here.
        netlink.setblocking(False)
        netlink.sendto(request, (0, 0))
        ended = False
        while not ended:
            rows, ended = _rows(buffer, netlink.recv_into(buffer))
            yield rows


def _rows(buffer: bytearray, filled: int) -> tuple[Iterable[SocketRow], bool]:
    """The sockets in the buffer, and whether they are the last."""
    if not _is_end(buffer, 0):
        # Messages of equal length, as all TIME_WAIT ones are, are read as columns: much faster than one by one.
        (length,) = struct.unpack_from("=I", buffer)
        count, rest = divmod(filled, length)
        used = memoryview(buffer)[: count * length]
        words, halves = used.cast("I"), used.cast("H")
        if rest in (0, _END_BYTES) and words[:: length // 4].tolist() == [length] * count:
            columns = used[17::length], halves[11 :: length // 2], words[17 :: length // 4]
            return zip(*(column.tolist() for column in columns), strict=True), rest != 0 and _is_end(
                buffer, filled - rest
            )
    return _one_by_one(buffer, filled)


def _one_by_one(buffer: bytearray, filled: int) -> tuple[list[SocketRow], bool]:
    rows: list[SocketRow] = []
    at = 0
    while at < filled:
        length, kind, state, port, expires_ms = _MESSAGE.unpack_from(buffer, at)
        if kind != _TCPDIAG_GETSOCK:
            return rows, _is_end(buffer, at)
        rows.append((state, port, expires_ms))
        at += length
    return rows, False


def _is_end(buffer: bytearray, at: int) -> bool:
    """The message at this position is the last. Raises OSError where it reports an error."""
    (kind,) = struct.unpack_from("=H", buffer, at + 4)
    if kind not in (_NLMSG_ERROR, _NLMSG_DONE):
        return False
    (error,) = _ERROR.unpack_from(buffer, at)
    if error < 0:
        raise OSError(-error, f"sock_diag: {os.strerror(-error)}")
    return True
