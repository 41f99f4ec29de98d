"""A connection whose exchanges are WebSocket messages and their answers, after an upgrade. Knows no policy."""

from __future__ import annotations

from loadgen.model.records import ConnectionFlag, Ending
from loadgen.wire.clock import PhaseClock
from loadgen.wire.duplex_connection import DuplexConnection
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import IDLE, RECEIVING, SENDING, UPGRADING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.websocket.protocol import WebSocketProtocol, closed_by_server

MESSAGE_STATUS = 101
"""The status recorded for a message: that of the response which upgraded its connection."""


class WebSocketConnection(DuplexConnection):
    """Each request is a `Message`; the server's next message is its answer, normally its echo."""

    __slots__ = ("_max_bytes", "_socket")

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader
    ) -> None:
        super().__init__(number, route, listener, clock, reader)
        self._max_bytes = reader.max_body_bytes
        self._socket: WebSocketProtocol | None = None

    @property
    def subprotocol(self) -> str | None:
        """The one that the server chose, if any."""
        return self._core.subprotocol

    def is_reusable(self) -> bool:
        return self._core.open

    @property
    def framed(self) -> bool:
        return False

    @property
    def awaits_close(self) -> bool:
        return self._core.closing

    def announce_close(self) -> bool:
        if not self._core.open:
            return False
        self._write(self._core.close())
        return True

    # Inside

    @property
    def _core(self) -> WebSocketProtocol:
        assert self._socket is not None, "the connection is open"
        return self._socket

    def _send(self, left_ns: int) -> None:
        """The transport is open: ask for the upgrade. After it: send the message."""
        message = self._request
        try:
            if self._socket is None:
                self._socket = WebSocketProtocol(message, self._max_bytes)
                request = self._socket.handshake(message)
                self._begin(UPGRADING, left_ns)
                self._write(request)
                return
            frame = self._socket.frame(message)
            self._begin(SENDING, left_ns)
            if self.handshake is None:
                self.handshake = self.handshake_ns()
            self.bytes_sent = len(frame)
            self._write(frame)
        except (OSError, UpgradeFailure) as error:
            self._fail_by(error)

    def _drained(self, now: int) -> None:
        if self.state == SENDING:
            self.enter(WAITING, now)

    def _receive(self, data: bytes, now: int, end: int) -> None:
        core = self._core
        if self.state == UPGRADING:
            if core.upgrade(data):
                self.flags |= ConnectionFlag.UPGRADED
                assert core.head is not None, "it was upgraded"
                self.reader.set_head(core.head)
                core.feed(b"")  # what followed the head directly is no answer to a message
                self._answer_control(core)
                self._check_open(core)
                self._send(end)
            return
        complete = core.feed(data)
        self._answer_control(core)
        if self.state == IDLE:
            # A message without a request is no answer to the next one; only a close ends the connection.
            if core.closed is not None:
                self._lose(Ending.CLIENT_ANNOUNCED if self.awaits_close else Ending.SERVER_ANNOUNCED)
            return
        self.bytes_received += len(data)
        if core.begun and self.state != RECEIVING:
            # The message may have been sent in this turn of the loop, after `now`.
            begun = now if now >= self.entered_ns(SENDING) else end
            self.enter(RECEIVING, begun, self._left_ns(begun))
        if complete:
            if not core.echoed:
                self.mismatched_echoes += 1
            if not core.open:
                self.ending = Ending.CLIENT_GAVE_UP if core.closed is None else Ending.SERVER_ANNOUNCED
            self.enter(IDLE, end)
            self.listener.exchange_done(self, MESSAGE_STATUS, end)
        else:
            self._check_open(core)

    def _answer_control(self, core: WebSocketProtocol) -> None:
        """Send what the server's pings, or its close, demand."""
        answers = core.take()
        if answers:
            self._write(answers)

    def _check_open(self, core: WebSocketProtocol) -> None:
        if core.closed is not None:
            raise closed_by_server(core.closed)

    def _closing_bytes(self) -> bytes:
        core = self._socket
        return core.close() if core is not None and core.head is not None else b""
