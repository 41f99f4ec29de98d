"""What the kernel knows of times: how long the first round trip took, and when bytes arrived. Knows no phase."""

from __future__ import annotations

import socket
import struct
from typing import Any

from gevent.monkey import get_original

from loadgen.model.records import ABSENT
from loadgen.wire.wall_clock import WallClock

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it
_TIMESPEC = struct.Struct("=qq")
# struct tcp_info of linux/tcp.h: tcpi_state comes first; tcpi_rtt, in µs.
_CLOSE_WAIT = 8
_TCP_INFO_RTT = struct.Struct("=68xI")
_Socket: type[Any] = get_original("socket", "SocketType")
_wall_clock = WallClock()


def ask_for_stamps(sock: Any) -> None:
    """The kernel is to note when bytes arrive at this socket."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def stamped_ns(sock: Any) -> int:
    """When the first unread byte arrived (ns, monotonic); ABSENT where the kernel did not note it. Reads nothing."""
    try:
        _, noted, _, _ = sock.recvmsg(1, socket.CMSG_SPACE(_TIMESPEC.size), socket.MSG_PEEK)
        # The kernel may join the segment that closes with the data before it, and keep the later stamp.
        if sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSE_WAIT:
            return ABSENT
    except OSError:  # a socket file is not TCP
        return ABSENT
    for level, kind, value in noted:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            return _wall_clock.to_monotonic_ns(seconds * 1_000_000_000 + nanoseconds)
    return ABSENT


def round_trip_ns(sock: Any) -> int:
    """That of SYN and SYN/ACK, once it is connected (ns); ABSENT where it is not TCP, or the kernel is older."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_RTT.size)
        return int(_TCP_INFO_RTT.unpack(info)[0]) * 1000
    except (OSError, struct.error):
        return ABSENT


def keep_stamping() -> Any:
    """A socket that is to be kept open while arrivals are stamped, and then closed.

    The kernel stamps packets only while some socket asks for it, and switches that on and off by patching its own code,
    a moment later: not in the middle of a load, with each connection that comes and goes.
    """
    sock = _Socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
    ask_for_stamps(sock)
    return sock
