"""The system calls of the compiled core's hot path, straight from libc.

A failure is its error's number, negated: an exception for each "would block" would cost more than the call. In pure
Python transports have the standard library's calls, pollers an epoll object, and only `packed_address` and `os_error`
work here. Knows no connection. The names that are defined nowhere here are C's, from syscalls.pxd.
"""
# mypy: disable-error-code="name-defined"
# ruff: noqa: F821

from __future__ import annotations

import os
import socket
import struct
from typing import Any

MAX_EVENTS = 128
"""Events of one turn of the loop: more would keep its timers waiting. syscalls.pxd has room for as many."""


def os_error(number: int) -> OSError:
    """The exception for an error's number, with the kernel's words for it."""
    return OSError(number, os.strerror(number))


def monotonic_ns() -> int:
    """The time now (ns) of CLOCK_MONOTONIC."""
    return c_monotonic_ns()  # type: ignore[no-any-return]


def receive(descriptor: int, buffer: bytearray) -> int:
    """Read once into the buffer, at most as much as it holds: how many bytes, or -errno."""
    return c_receive(descriptor, PyByteArray_AS_STRING(buffer), PyByteArray_GET_SIZE(buffer))  # type: ignore[no-any-return]


def send(descriptor: int, data: bytes) -> int:
    """Write once: how many bytes were taken, or -errno."""
    return c_send(descriptor, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))  # type: ignore[no-any-return]


def send_view(descriptor: int, data: memoryview) -> int:
    """`send` for a view of bytes, which is not copied."""
    try:
        return os.write(descriptor, data)
    except OSError as error:
        return -(error.errno or 1)


def open_socket(family: int) -> int:
    """A stream socket that does not block and, with TCP, sends at once (TCP_NODELAY): its descriptor, or -errno."""
    return c_open_socket(family)  # type: ignore[no-any-return]


def connect(descriptor: int, address: bytes) -> int:
    """Begin to connect to a packed address (see `packed_address`): 0, or -errno, which is -EINPROGRESS at best."""
    return c_connect(descriptor, PyBytes_AS_STRING(address), PyBytes_GET_SIZE(address))  # type: ignore[no-any-return]


def is_connected(descriptor: int) -> bool:
    """poll(2): a socket that was connecting is open now, without an error to report."""
    return c_is_connected(descriptor)  # type: ignore[no-any-return]


def close(descriptor: int) -> None:
    """Close it, whatever the kernel says: the descriptor is gone in any case (close(2))."""
    c_close(descriptor)


def control(epoll_descriptor: int, operation: int, descriptor: int, events: int) -> int:
    """epoll_ctl(2): 0, or -errno."""
    return c_control(epoll_descriptor, operation, descriptor, events)  # type: ignore[no-any-return]


def packed_address(family: int, address: tuple[Any, ...]) -> bytes:
    """A socket address as the kernel takes it (ip(7), ipv6(7), unix(7)). Raises OSError where it is no numeric one."""
    if family == socket.AF_UNIX:
        return struct.pack("=H", family) + socket_file(address[0])
    if family == socket.AF_INET:
        host, port = address
        return struct.pack("=H", family) + struct.pack("!H4s8x", port, socket.inet_pton(family, host))
    host, port, flow, scope = address
    # The scope, as in fe80::1%eth0, is a number of its own.
    packed = socket.inet_pton(family, host.partition("%")[0])
    return struct.pack("=H", family) + struct.pack("!HI16s", port, flow, packed) + struct.pack("=I", scope)


def socket_file(name: str) -> bytes:
    """The name of a socket file as the kernel takes it; `@` begins that of an abstract socket (unix(7))."""
    return b"\0" + name[1:].encode() if name.startswith("@") else os.fsencode(name)


class ReadyList:
    """The events that one call of epoll_wait(2) found."""

    __slots__ = ("_epoll_descriptor",)

    def __init__(self, epoll_descriptor: int) -> None:
        self._epoll_descriptor = epoll_descriptor

    def poll(self) -> int:
        """Find what is ready now, without waiting: how many descriptors, at most MAX_EVENTS."""
        return c_poll(self._epoll_descriptor, self._events, _ROOM)  # type: ignore[attr-defined, no-any-return]

    def descriptor(self, index: int) -> int:
        """The descriptor of the event `index`."""
        return self._events[index].data.fd  # type: ignore[attr-defined, no-any-return]

    def events(self, index: int) -> int:
        """The bits of the event `index` (EPOLLIN and so on)."""
        return self._events[index].events  # type: ignore[attr-defined, no-any-return]
