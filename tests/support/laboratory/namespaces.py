"""Network namespaces and the cables between them. Knows no relay and no server.

A namespace is held by a file descriptor alone: it lasts until that is closed and the last process in it has ended, and
its interfaces go with it. So a test that is killed leaves nothing behind. Needs root.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_OWN = "/proc/thread-self/ns/net"
_LIBC = ctypes.CDLL(None, use_errno=True)

# linux/sockios.h and linux/ethtool.h: checksums, then whatever joins or cuts segments outside TCP.
_SIOCETHTOOL = 0x8946
_OFFLOADS = {"transmit checksum": 0x17, "TSO": 0x1F, "GSO": 0x24, "GRO": 0x2C}


def _call(name: str, *arguments: int) -> None:
    """A function of the C library; os has these since Python 3.12 only. Raises OSError."""
    if getattr(_LIBC, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


class Namespace:
    """A network namespace with its loopback interface up, and no IPv6 on others. Raises OSError where not permitted."""

    def __init__(self) -> None:
        with _coming_back():
            _call("unshare", _CLONE_NEWNET)
            self._descriptor = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        self.path = f"/proc/{os.getpid()}/fd/{self._descriptor}"
        self.set("ipv6/conf/default/disable_ipv6", "1")
        self.ip("link set lo up")

    def close(self) -> None:
        """Let it go; processes that are still in it keep it."""
        os.close(self._descriptor)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """In this block, sockets and processes that the thread makes belong to the namespace."""
        with _coming_back():
            _call("setns", self._descriptor, _CLONE_NEWNET)
            yield

    def set(self, setting: str, value: str) -> None:
        """Write a setting under /proc/sys/net, of this namespace."""
        with self.entered():
            Path("/proc/sys/net", setting).write_text(value, encoding="ascii")

    def ip(self, *lines: str) -> None:
        """Run these commands of `ip`. Raises OSError with what it said."""
        with self.entered():
            done = subprocess.run(
                ["ip", "-batch", "-"], input="\n".join(lines), capture_output=True, text=True, timeout=20, check=False
            )
        if done.returncode:
            raise OSError(f"ip: {done.stderr.strip()}")

    def cable(self, interface: str, other: Namespace, other_interface: str) -> None:
        """Connect an interface here with one there, both up. Each frame on it is a segment as TCP made it.

        A frame that is taken off one interface and put on another must be whole: with its checksum, and not longer than
        a frame may be. So what a network card would do for TCP is turned off.
        """
        self.ip(f"link add {interface} type veth peer name {other_interface} netns {other.path}")
        for namespace, name in ((self, interface), (other, other_interface)):
            with namespace.entered():
                _turn_off_offloads(name)
            namespace.ip(f"link set {name} up")


@contextmanager
def _coming_back() -> Iterator[None]:
    """Back to the present namespace at the end of the block."""
    home = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        try:
            _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)


def _turn_off_offloads(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for command in _OFFLOADS.values():
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
