"""The packets of one TCP port on the loopback interface, with the kernel's time stamps. Needs root; judges nothing.

The socket is read only after the load: no process waits on it meanwhile, so that capturing wakes none, and costs the
kernel's copy of a head for each packet, and no more. The stamps are of CLOCK_REALTIME.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from types import TracebackType
from typing import NamedTuple

_ETH_P_ALL = 3
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_OUTGOING = 4
_BUFFER_BYTES = 512 * 2**20
_HEAD_BYTES = 128  # Ethernet, IPv4 and TCP with all options are shorter than this
_TIMESPEC = struct.Struct("=qq")
_COUNTS = struct.Struct("=II")


class Packet(NamedTuple):
    """One frame as the kernel gave it out, or took it in. data: its beginning, from the Ethernet header on."""

    stamp_ns: int
    outgoing: bool
    data: bytes


def port_filter(port: int) -> list[tuple[int, int, int, int]]:
    """A classic BPF program (code, jump if true, jump if false, operand) that passes IPv4 TCP from or to this port."""
    return [
        (0x28, 0, 0, 12),  # EtherType
        (0x15, 0, 8, 0x0800),
        (0x30, 0, 0, 23),  # protocol
        (0x15, 0, 6, socket.IPPROTO_TCP),
        (0xB1, 0, 0, 14),  # X: length of the IPv4 header
        (0x48, 0, 0, 14),  # source port
        (0x15, 2, 0, port),
        (0x48, 0, 0, 16),  # destination port
        (0x15, 0, 1, port),
        (0x06, 0, 0, _HEAD_BYTES),
        (0x06, 0, 0, 0),
    ]


class Capture:
    """`with Capture(port) as capture: ...`, then `capture.packets`. Raises PermissionError without CAP_NET_RAW."""

    def __init__(self, port: int) -> None:
        self.packets: list[Packet] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # takes in nothing before it is bound
        self._socket.setblocking(False)
        program = b"".join(struct.pack("=HBBI", *line) for line in port_filter(port))
        self._program = ctypes.create_string_buffer(program)
        head = struct.pack("@HP", len(program) // 8, ctypes.addressof(self._program))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def __enter__(self) -> Capture:
        self._socket.bind(("lo", _ETH_P_ALL))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises RuntimeError where the kernel dropped packets."""
        try:
            if error is None:
                self._read()
        finally:
            self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data, control, _, address = self._socket.recvmsg(_HEAD_BYTES, 64)
            except BlockingIOError:
                break
            ((_, _, stamp),) = control
            seconds, nanoseconds = _TIMESPEC.unpack(stamp)
            self.packets.append(Packet(seconds * 1_000_000_000 + nanoseconds, address[2] == _PACKET_OUTGOING, data))
        counts = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _COUNTS.size)
        _, dropped = _COUNTS.unpack(counts)
        if dropped:
            raise RuntimeError(f"the kernel dropped {dropped} captured packets")


def allowed() -> bool:
    """This user may capture packets."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True
