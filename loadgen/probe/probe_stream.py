"""A byte stream for greenlets over the engine's own transports: a call waits, and others run meanwhile.

Plain TCP, TLS, and both through a proxy's tunnel. Each event is stamped when the loop tells of it. Knows no HTTP.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import NamedTuple

import gevent
from gevent.event import Event

from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.probe.failures import Loss, OpenFailure, is_reset
from loadgen.probe.trace import Trace
from loadgen.wire import poller
from loadgen.wire.address_race import AddressRace
from loadgen.wire.errors import FAILURES
from loadgen.wire.transport import (
    BEGIN_TLS,
    BEGIN_TUNNEL,
    NOTHING,
    OPEN,
    READ,
    WANT_READ,
    WRITE,
    SocketAddress,
    Transport,
)

_AT_ONCE_NS = 20 * NS_PER_MS
"""After this time of reads that need not wait, others run, and the time is looked at: a server may never stop."""
_MAX_KEPT_BYTES = 1 << 16
_NO_LINGER = struct.pack("ii", 1, 0)
_LOSSES = {"": Loss.TIMEOUT, "fin": Loss.FIN, "reset": Loss.RESET}


class Chunk(NamedTuple):
    """What one read gave. data: empty where the server ended its side, by `ended`: `fin` or `reset`."""

    data: bytes
    at_ns: int
    ended: str = ""


class ProbeStream:
    """One connection. Times are those of the poller's clock (ns, monotonic)."""

    def __init__(self, transport: Transport, trace: Trace) -> None:
        self.transport = transport
        self.trace = trace
        self.ended = ""
        """How the server ended its side: `fin`, `reset`, or empty while it has not."""
        self.ended_ns = 0
        self.opening_ns = 0
        """When it began to connect,"""
        self.connected_ns = 0
        """was connected,"""
        self.tls_begun_ns = 0
        """began its TLS handshake (0 without TLS),"""
        self.opened_ns = 0
        """and was open: after its tunnel and its TLS handshake, if any."""
        self._clock = poller.of_hub()
        self._woken = Event()
        self._event_ns = 0
        self._waited_ns = 0

    def open(self, address: SocketAddress, until_ns: int) -> None:
        """Connect and shake hands. Raises OpenFailure."""
        stage = "connect"
        transport = self.transport
        try:
            self._woken.clear()
            self.opening_ns = transport.connect(address, self._wake)
            self._await(until_ns)
            if isinstance(transport, AddressRace):
                transport = self.transport = transport.settled
            while True:
                step = transport.establish()
                if step == OPEN:
                    break
                if step in (BEGIN_TLS, BEGIN_TUNNEL):
                    self.connected_ns = self.connected_ns or transport.connected_ns or self._event_ns
                    stage = "tls" if step == BEGIN_TLS else "tunnel"
                    if step == BEGIN_TLS:
                        self.tls_begun_ns = self._now()
                    continue
                self._wait(READ if step == WANT_READ else WRITE, until_ns)
        except FAILURES as error:
            transport.close()
            raise OpenFailure(stage, error) from None
        except BaseException:
            transport.close()
            raise
        transport.watch(NOTHING, self._wake)
        self.opened_ns = self._now() if self.connected_ns else transport.connected_ns or self._event_ns
        self.connected_ns = self.connected_ns or self.opened_ns
        self.trace.add("opened", self.opened_ns)

    def send(self, data: bytes, until_ns: int) -> int:
        """Send all of it; returns when the last byte was taken (ns). Raises OSError, also where the time is over."""
        left = memoryview(data)
        while left:
            sent = self.transport.send(bytes(left))
            if sent < 0:
                self._wait(WRITE, until_ns)
            else:
                left = left[sent:]
        at_ns = self._now()
        self.trace.add("sent", at_ns, len(data))
        return at_ns

    def receive(self, until_ns: int) -> Chunk | None:
        """What comes next; None where nothing has come by then. After the server's end that end, again and again."""
        if self.ended:
            return Chunk(b"", self.ended_ns, self.ended)
        if self._now() - self._waited_ns > _AT_ONCE_NS:
            gevent.sleep(0)
            self._waited_ns = self._now()
            if self._waited_ns >= until_ns:
                return None
        at_ns = self._now()
        while True:
            try:
                size = self.transport.receive()
            except FAILURES as error:
                return self._end("reset" if is_reset(error) else "fin", at_ns)
            if size > 0:
                data = bytes(memoryview(self.transport.buffer)[:size])
                self.trace.add("received", at_ns, size)
                return Chunk(data, at_ns)
            if size == 0:
                return self._end("fin", at_ns)
            try:
                self._wait(READ, until_ns)
            except TimeoutError:
                return None
            at_ns = self._event_ns

    @property
    def loss(self) -> Loss:
        """How a wait for something that did not come ended: by the server's end, or because the time was over."""
        return _LOSSES[self.ended]

    def wait_end(self, until_ns: int) -> tuple[bytes, bool]:
        """Wait for the server's end. Returns the bytes that came before it (the first 64 KiB), and whether it came."""
        found = bytearray()
        while True:
            chunk = self.receive(until_ns)
            if chunk is None:
                return bytes(found), False
            if not chunk.data:
                return bytes(found), True
            found += chunk.data[: _MAX_KEPT_BYTES - len(found)]

    def end_writing(self) -> None:
        """Close our side alone (FIN, over TLS without close_notify); the server may go on sending."""
        with suppress(OSError):
            self.transport.socket.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """Close it; safe to call twice. reset: by RST instead of FIN."""
        sock = self.transport.socket
        if sock is None:
            return
        if reset:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.trace.add("closed", self._now())
        self.transport.close()

    def __enter__(self) -> ProbeStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _end(self, how: str, at_ns: int) -> Chunk:
        self.ended, self.ended_ns = how, at_ns
        self.trace.add("fin" if how == "fin" else "reset", at_ns)
        with suppress(OSError):
            self.transport.watch(NOTHING, self._wake)
        return Chunk(b"", at_ns, how)

    def _now(self) -> int:
        return self._clock.monotonic_ns()

    def _wake(self) -> None:
        self._event_ns = self._now()
        # Level-triggered: it would be told again in every turn until the greenlet has read.
        with suppress(OSError):
            self.transport.watch(NOTHING, self._wake)
        self._woken.set()

    def _wait(self, event: int, until_ns: int) -> None:
        self._woken.clear()
        self.transport.watch(event, self._wake)
        self._await(until_ns)

    def _await(self, until_ns: int) -> None:
        """Raises TimeoutError."""
        is_woken = self._woken.wait(max(0, until_ns - self._now()) / NS_PER_S)
        self._waited_ns = self._now()
        if not is_woken:
            with suppress(OSError):
                self.transport.watch(NOTHING, self._wake)
            raise TimeoutError
