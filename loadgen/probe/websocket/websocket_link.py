"""One WebSocket of a probe: opened at the target's URL, its control frames noted. Knows no probe."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.frame_link import FrameLink
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import MAX_BODY_BYTES, ProbeSession
from loadgen.probe.tunnelling import end_to_end_fields, open_end_to_end
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed
from loadgen.wire.websocket.control import ControlProtocol
from loadgen.wire.websocket.message import Message


class NotOffered(ProbeFailure):
    """The server does not upgrade to WebSocket at this URL."""


class WebSocketLink(FrameLink):
    """An open WebSocket; the server's pings and its close are answered while something is waited for."""

    def __init__(self, session: ProbeSession, stream: ProbeStream, core: ControlProtocol, at_ns: int) -> None:
        super().__init__(session, stream, at_ns)
        self.core = core

    def take(self, data: bytes) -> None:
        self.core.feed(data)
        self.send(self.core.take())

    def farewell(self) -> bytes:
        return self.core.close()


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
                raise NotOffered(f"no answer to the upgrade ({stream.loss})")
            if core.upgrade(chunk.data):
                link = WebSocketLink(session, stream, core, chunk.at_ns)
                link.take(b"")  # what followed the head directly
                return link
    except BaseException as error:
        stream.close()
        if isinstance(error, Malformed) or (
            isinstance(error, UpgradeFailure) and error.kind is ErrorKind.UPGRADE_REFUSED
        ):
            raise NotOffered(str(error)) from None
        raise
