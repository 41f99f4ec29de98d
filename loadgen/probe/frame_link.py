"""A connection of a probe on which frames go both ways; what it speaks is a subclass's. Knows no probe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Self

from loadgen.probe.failures import Loss
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession


class FrameLink:
    """An open connection. Each wait answers whatever frames come, and ends when what it is for has come."""

    def __init__(self, session: ProbeSession, stream: ProbeStream, at_ns: int) -> None:
        self.stream = stream
        self.at_ns = at_ns
        """When the last bytes came."""
        self._session = session

    def wait(self, done: Callable[[], bool], until_ns: int) -> bool:
        """Read until `done`; False where time or connection was over before.

        Raises UpgradeFailure where the server's bytes are not of this protocol.
        """
        while not done():
            chunk = self.stream.receive(until_ns)
            if chunk is None or not chunk.data:
                return False
            self.at_ns = chunk.at_ns
            self.take(chunk.data)
        return True

    def take(self, data: bytes) -> None:
        """Take bytes that came, and answer them. Raises UpgradeFailure where they are not of this protocol."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        if data:
            with suppress(OSError):  # that it is closed is what the next read says
                self.stream.send(data, self._session.timeout_at_ns)

    @property
    def loss(self) -> Loss:
        """How a wait that failed ended."""
        return self.stream.loss

    def close(self) -> None:
        """End it as the protocol does, unless the server has ended it, and close the connection."""
        if not self.stream.ended:
            self.send(self.farewell())
        self.stream.close()

    def farewell(self) -> bytes:
        """What the protocol says at its end; empty where that was said."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
