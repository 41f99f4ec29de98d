"""One WebSocket of a probe: opened at the target's URL, its control frames noted. Knows no probe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from loadgen.model.errors import ErrorKind
from loadgen.probe.failures import Loss, ProbeFailure
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import MAX_BODY_BYTES, ProbeSession
from loadgen.probe.tunnelling import end_to_end_fields, open_end_to_end
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.websocket.control import ControlProtocol
from loadgen.wire.websocket.protocol import Message

_ENDS = {"": Loss.TIMEOUT, "fin": Loss.FIN, "reset": Loss.RESET}
"""What the end of a stream means for an answer that is waited for."""


class NotOffered(ProbeFailure):
    """The server does not upgrade to WebSocket at this URL."""


class WebSocketLink:
    """An open WebSocket; the server's pings and its close are answered while something is waited for."""

    def __init__(self, session: ProbeSession, stream: ProbeStream, core: ControlProtocol, at_ns: int) -> None:
        self.stream = stream
        self.core = core
        self.at_ns = at_ns
        """When the last bytes came."""
        self._session = session

    def wait(self, done: Callable[[], bool], until_ns: int) -> bool:
        """Read until `done`; False where time or connection was over before. Raises UpgradeFailure."""
        while not done():
            chunk = self.stream.receive(until_ns)
            if chunk is None or not chunk.data:
                return False
            self.at_ns = chunk.at_ns
            self.core.feed(chunk.data)
            self.send(self.core.take())
        return True

    def send(self, data: bytes) -> None:
        if data:
            with suppress(OSError):  # that it is closed is what the next read says
                self.stream.send(data, self._session.timeout_at_ns)

    @property
    def loss(self) -> Loss:
        """How a wait that failed ended."""
        return {"fin": Loss.FIN, "reset": Loss.RESET}.get(self.stream.ended, Loss.TIMEOUT)

    def __enter__(self) -> WebSocketLink:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.stream.ended:
            self.send(self.core.close())
        self.stream.close()


def open_websocket(session: ProbeSession) -> WebSocketLink:
    """Ask for the upgrade. Raises NotOffered; UpgradeFailure where a 101 does not switch to a WebSocket of ours."""
    message = Message(b"", True, session.plan.target.path, end_to_end_fields(session))
    core = ControlProtocol(message, MAX_BODY_BYTES)
    stream = open_end_to_end(session)
    try:
        session.send(stream, core.handshake(message))
        until_ns = session.timeout_at_ns
        while True:
            chunk = stream.receive(until_ns)
            if chunk is None or not chunk.data:
                raise NotOffered(f"no answer to the upgrade ({_ENDS[stream.ended]})")
            if core.upgrade(chunk.data):
                link = WebSocketLink(session, stream, core, chunk.at_ns)
                core.feed(b"")  # what followed the head directly
                link.send(core.take())
                return link
    except BaseException as error:
        stream.close()
        if isinstance(error, Malformed) or (
            isinstance(error, UpgradeFailure) and error.kind is ErrorKind.UPGRADE_REFUSED
        ):
            raise NotOffered(str(error)) from None
        raise
