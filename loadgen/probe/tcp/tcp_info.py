"""What the kernel has counted on one TCP connection (struct tcp_info of linux/tcp.h). Knows no probe."""

from __future__ import annotations

import socket
import struct
from typing import Any, NamedTuple

from loadgen.probe.failures import ProbeFailure

# Offsets: tcpi_rcv_mss 20, tcpi_rtt (µs) 68, tcpi_bytes_received 128, tcpi_segs_in 140, tcpi_data_segs_in 152.
_TCP_INFO = struct.Struct("=20xI44xI56xQ4xI8xI")


class TcpInfo(NamedTuple):
    """One look at a connection."""

    received_mss_bytes: int
    """The size of the segments that came, as the kernel estimates it."""
    rtt_us: int
    received_bytes: int
    """Bytes of the stream that came, those of TLS included."""
    segments_in: int
    """Segments that came, of all kinds,"""
    data_segments_in: int
    """and those of them with data."""


def tcp_info(sock: Any) -> TcpInfo:
    """Look now. Raises ProbeFailure where the kernel does not say it, OSError where the socket is closed."""
    data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(data) < _TCP_INFO.size:
        raise ProbeFailure("this kernel does not count a connection's segments (Linux 4.6 does)")
    return TcpInfo(*_TCP_INFO.unpack(data))
