"""What a hostile server does, and what is right then: one Row each. Opens nothing.

A row is a script for each request, made of bytes (sent as they stand) and of steps. What it does not say is done well.
The run's first connection answers its first request well in any case, so that the load begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
BYE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
"""A good response that ends its connection."""


class Peer(Protocol):
    """The server's side of a connection, as a step sees it."""

    def send(self, data: bytes) -> None:
        """Send these bytes, within TLS where there is TLS."""

    def send_in_clear(self, data: bytes) -> None:
        """Send these bytes as they are, beside TLS where there is TLS."""

    def notify(self) -> None:
        """Send TLS's close_notify."""

    def finish(self) -> None:
        """Send FIN; requests are still read and counted, and none is answered any more."""

    def reset(self) -> None:
        """End the connection by RST."""

    def peek(self) -> bytes:
        """What has come and is still to be read, in TLS its records."""

    def drain(self) -> None:
        """Read and count requests until the client closes; none is answered."""


Step = bytes | Callable[[Peer], None]
Script = tuple[Step, ...]


def FIN(peer: Peer) -> None:
    """Close, in TLS without close_notify."""
    peer.finish()


def NOTIFY(peer: Peer) -> None:
    """Send close_notify."""
    peer.notify()


def RST(peer: Peer) -> None:
    peer.reset()


def AWAIT(peer: Peer) -> None:
    """Wait until the client has sent something."""
    peer.peek()


def SILENCE(peer: Peer) -> None:
    """Send nothing more."""
    peer.drain()


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float

    def __call__(self, _peer: Peer) -> None:
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Drip:
    """Send byte by byte, each in a segment of its own, with a pause after each."""

    data: bytes
    seconds: float = 0.0

    def __call__(self, peer: Peer) -> None:
        for value in self.data:
            peer.send(bytes((value,)))
            if self.seconds:
                time.sleep(self.seconds)


@dataclass(frozen=True)
class InClear:
    """Send bytes beside TLS."""

    data: bytes

    def __call__(self, peer: Peer) -> None:
        peer.send_in_clear(self.data)


@dataclass(frozen=True)
class Endless:
    """Send the same bytes again and again, until the client has closed."""

    data: bytes

    def __call__(self, peer: Peer) -> None:
        while True:
            peer.send(self.data)


@dataclass(frozen=True)
class Right:
    """What is right under one policy. A word with `?` at its end may be absent; every other one must be there."""

    results: str
    """The statuses and error kinds of all requests, but those on the run's first connection."""
    endings: str
    """The endings of all connections but the first one. One that is idle when the block is over is `client_silent`."""
    reused: bool | None = None
    """Whether a connection carries a second request; None where both are right."""
    notes: str = ""
    """The labels of every Leniency that is counted."""
    unasked: bool | None = False
    """Bytes that no request asked for are counted, and the connection is closed for them; None where that may be."""


@dataclass(frozen=True)
class Tls:
    """How the server's side of TLS is set up. Certificates are for localhost and 127.0.0.1 unless `name` is given."""

    name: str = ""
    expired: bool = False
    trusted: bool = True
    alpn: tuple[str, ...] = ()
    max_version: str = ""
    """Such as `TLSv1_2`; empty for the newest."""

    @property
    def is_good(self) -> bool:
        """A client that verifies can go on."""
        return self.trusted and not (self.name or self.expired)


@dataclass(frozen=True)
class Row:
    """One behaviour."""

    name: str
    section: str
    """The document and section that says what a client has to do: RFC 9112 §6.3."""
    answers: Sequence[Script] = ()
    """The n-th script answers a connection's n-th request, the last one all later requests. Empty: all is well."""
    right: Mapping[str, Right] = field(default_factory=dict)
    """By policy."""
    opening: Script = ()
    """Played as soon as a connection is accepted, before TLS; the run's first connection is spared."""
    greeting: Script = ()
    """Played before a request is read, within TLS; the run's first connection is spared."""
    tls: Tls | None = None
    protocol: str = "http/1.1"
    """Of `CONVERSATIONS` in server.py."""
    options: tuple[str, ...] = ()
    """Of `loadgen compare`."""
    said: str = ""
    """What the client says beside its requests, in HTTP/2 and WebSocket: words as those of a Right."""

    @property
    def is_of_connections(self) -> bool:
        """It is connections that are treated badly, and not requests."""
        return bool(self.opening or self.greeting or (self.tls is not None and not self.tls.is_good))

    def __str__(self) -> str:
        return self.name


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    """A response's head."""
    return "".join(f"{line}\r\n" for line in (status, *lines, "")).encode("latin-1")


def words(text: str) -> tuple[set[str], set[str]]:
    """The words of a Right that must be there, and those that may."""
    found = text.split()
    return {word for word in found if not word.endswith("?")}, {word.rstrip("?") for word in found}
