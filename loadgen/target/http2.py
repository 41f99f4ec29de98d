"""A connection that speaks HTTP/2 (RFC 9113): by ALPN, by prior knowledge, or upgraded from HTTP/1.1 (RFC 7540 §3.2).

The library h2, which does no input or output of its own, reads and writes the frames. The only HTTP/1.1 known here is
the request that was upgraded.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error, ProtocolError
from h2.settings import SettingCodes

from loadgen.target.behaviour import CONTINUE, REFUSE
from loadgen.target.connection import ServerConnection, ServerContext, service_timer
from loadgen.target.http2_rules import (
    ServerH2Connection,
    is_valid,
    server_settings,
    valid_request,
)
from loadgen.target.requests import BODY, Request
from loadgen.target.responses import Http2Response
from loadgen.wire.http1.head import FieldLines
from loadgen.wire.transport import TcpTransport

# Streams that a client may open before it knows the limit; enough for one that assumes there is none.
_STREAMS_AT_FIRST = 1000
# How much of large bodies is framed for one write.
_BATCH_BYTES = 256 * 1024
_MAX_BODY_BYTES = 1 << 30
_ANSWERED = (None, -1)


class _Outgoing:
    """What a stream still has to send."""

    __slots__ = ("rest", "trailers")

    def __init__(self, rest: memoryview, trailers: FieldLines) -> None:
        self.rest = rest
        self.trailers = trailers


class Http2ServerConnection(ServerConnection):
    """Answers each stream's request as soon as it is complete, or after its service time."""

    __slots__ = (
        "_client_done", "_delays", "_expecting", "_h2", "_ignores_new", "_last_stream_id", "_outgoing", "_requests",
        "_upgraded",
    )  # fmt: skip

    def __init__(self, context: ServerContext, transport: TcpTransport) -> None:
        super().__init__(context, transport)
        self._h2 = ServerH2Connection()
        # By stream: requests that are not answered yet, with the size of their body so far; timers of those in service;
        # and responses that wait for flow control or for room to write.
        self._requests: dict[int, tuple[Request, int]] = {}
        # Requests of the present bytes that expect 100 Continue.
        self._expecting: list[int] = []
        self._delays: dict[int, Any] = {}
        self._outgoing: dict[int, _Outgoing] = {}
        # The last stream that was accepted; new streams are ignored; the client has said that it is done.
        self._last_stream_id = 0
        self._ignores_new = self._client_done = self._upgraded = False

    @property
    def protocol(self) -> str:  # type: ignore[override] # it does not change, but depends on how it came about
        return "h2c" if self._upgraded else "h2"

    @property
    def busy(self) -> bool:
        return bool(self._delays or self._outgoing or self._unsent)

    def begin(self, data: bytes) -> None:
        """Begin with the client's preface, of which `data` is what has come already."""
        self._use_settings()
        self._h2.initiate_connection()
        self._expect_acknowledgement()
        if data:
            self._received(data)
        else:
            self._flush()

    def begin_upgraded(self, request: Request, settings: bytes, switch: bytes, data: bytes) -> None:
        """Send `switch`, the response 101, and answer the request that it answers, as stream 1 (RFC 7540 §3.2).

        settings: its HTTP2-Settings field, as http2_rules.client_settings gives it. data: what followed the request.
        """
        self._upgraded = True
        self._use_settings()
        self._h2.initiate_upgrade_connection(settings)
        self._expect_acknowledgement()
        self._last_stream_id = 1
        self._requests[1] = (request, 0)
        self._serve(1)
        # A large body waits until the client has switched as well: curl, for one, has little room before it has.
        self._send(switch + self._h2.data_to_send())
        if data and not self._closing:
            self._received(data)

    def close(self) -> None:
        self._give_up()
        super().close()

    def close_idle(self) -> None:
        if self._context.behaviour.silent:
            self.close()
        elif not self._closing:
            self._announce_close()
            self._flush()

    def _use_settings(self) -> None:
        """The settings that `initiate_connection` sends."""
        self._h2.local_settings = server_settings(self._context.behaviour.max_streams)

    def _expect_acknowledgement(self) -> None:
        """The settings sent bind the client only once it has acknowledged them (RFC 9113 §6.5.3)."""
        settings = self._h2.local_settings = server_settings(_STREAMS_AT_FIRST)
        settings[SettingCodes.MAX_CONCURRENT_STREAMS] = self._context.behaviour.max_streams

    def _received(self, data: bytes) -> None:
        try:
            complete: list[int] = []
            for event in self._h2.receive_data(data):
                self._take(event, complete)
            expecting, self._expecting = self._expecting, []
            for stream_id in expecting:
                if stream_id not in complete and self._requests.get(stream_id, _ANSWERED)[1] == 0:
                    self._answer_expectation(stream_id)
            for stream_id in complete:
                if stream_id in self._requests:
                    self._serve(stream_id)
        except H2Error:
            # The GOAWAY that says why is written.
            self._give_up()
        self._flush()

    def _take(self, event: Event, complete: list[int]) -> None:
        """Handle one event; streams whose request is complete are added to `complete`."""
        if isinstance(event, RequestReceived):
            self._begin_request(event.stream_id, tuple(event.headers))
        elif isinstance(event, StreamEnded):
            complete.append(event.stream_id)
        elif isinstance(event, DataReceived):
            self._count_body(event.stream_id, event.flow_controlled_length)
        elif isinstance(event, TrailersReceived):
            if not is_valid(tuple(event.headers), True):
                self._reset(event.stream_id, ErrorCodes.PROTOCOL_ERROR)
        elif isinstance(event, StreamReset):
            self._forget(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            # Without an error, the client's open requests are still answered (RFC 9113 §6.8).
            if event.error_code == ErrorCodes.NO_ERROR:
                self._client_done = True
            else:
                self._give_up()

    def _begin_request(self, stream_id: int, fields: FieldLines) -> None:
        limit = self._context.behaviour.close_after
        if limit and self.served + len(self._requests) >= limit:
            # The GOAWAY to come names the last stream that was processed (RFC 9113 §6.8), and so says that this one was
            # not. No later one may be processed either, even if the client resets another stream and makes room.
            self._ignores_new = True
        if self._ignores_new:
            return
        self._last_stream_id = stream_id
        request = valid_request(fields)
        if request is None:
            self._reset(stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self._requests[stream_id] = (request, 0)
        if request.expects_continue:
            self._expecting.append(stream_id)

    def _answer_expectation(self, stream_id: int) -> None:
        """The fields of a request have come, and nothing of the body that they announce (RFC 9110 §10.1.1)."""
        answer = self._context.behaviour.on_expect
        self._context.account.expected(answer)
        if answer == CONTINUE:
            self._h2.send_headers(stream_id, ((b":status", b"100"),))
        elif answer == REFUSE:
            # The client ends the stream, whose body is not wanted (RFC 9113 §8.1); the connection goes on.
            del self._requests[stream_id]
            self.served += 1
            self._respond(stream_id, self._context.responses.http2_expectation_failed())

    def _count_body(self, stream_id: int, size_bytes: int) -> None:
        """Drop bytes of a request's body, and let the client send as many more."""
        self._h2.acknowledge_received_data(size_bytes, stream_id)
        if stream_id in self._requests:
            request, before_bytes = self._requests[stream_id]
            self._requests[stream_id] = (request, before_bytes + size_bytes)
            if before_bytes + size_bytes > _MAX_BODY_BYTES:
                self._reset(stream_id, ErrorCodes.ENHANCE_YOUR_CALM)

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        self._forget(stream_id)
        with suppress(ProtocolError):
            self._h2.reset_stream(stream_id, code)

    def _forget(self, stream_id: int) -> None:
        self._requests.pop(stream_id, None)
        self._outgoing.pop(stream_id, None)
        delay = self._delays.pop(stream_id, None)
        if delay is not None:
            delay.close()

    def _give_up(self) -> None:
        """Answer nothing more: what is already written is the last."""
        self._closing = self._ignores_new = True
        for stream_id in {*self._requests, *self._delays, *self._outgoing}:
            self._forget(stream_id)

    def _serve(self, stream_id: int) -> None:
        """Answer a complete request, now or when its service time is over."""
        behaviour = self._context.behaviour
        if not behaviour.delay_ns or self._requests[stream_id][0].resource is not BODY:
            self._answer(stream_id)
            return

        def due() -> None:
            self._delays.pop(stream_id).close()
            self._answer(stream_id)
            self._flush()

        self._delays[stream_id] = service_timer(behaviour.delay_ns, due)

    def _answer(self, stream_id: int) -> None:
        request, _ = self._requests.pop(stream_id)
        if request.resource is BODY:
            self.served += 1
        else:
            self.had_internal = True
        self._respond(stream_id, self._context.responses.http2(request, self.served, self.number))

    def _respond(self, stream_id: int, response: Http2Response) -> None:
        head, body, trailers = response
        h2 = self._h2
        h2.send_headers(stream_id, head, end_stream=not body and not trailers)
        size_bytes = len(body)
        if size_bytes > min(h2.local_flow_control_window(stream_id), h2.max_outbound_frame_size) or (
            body and self._outgoing
        ):
            self._outgoing[stream_id] = _Outgoing(memoryview(body), trailers)
            return
        if body:
            h2.send_data(stream_id, body, end_stream=not trailers)
        if trailers:
            h2.send_headers(stream_id, trailers, end_stream=True)

    def _flush(self) -> None:
        """Send what there is to send, as far as the client and the kernel take it."""
        while not self._unsent:
            if not self._closing:
                if self._outgoing:
                    self._send_more()
                if self._is_done():
                    self._announce_close()
            data = self._h2.data_to_send()
            if data:
                self._send(data)
            elif self._closing and self._linger is None:
                self._finish()
            if not data or self._closing:
                return

    def _send_more(self) -> None:
        """Frame the next bytes of waiting bodies, a frame of each in turn, for one write."""
        h2 = self._h2
        framed_bytes, stuck = 0, False
        while not stuck and framed_bytes < _BATCH_BYTES:
            stuck = True
            for stream_id, outgoing in list(self._outgoing.items()):
                room_bytes = min(h2.local_flow_control_window(stream_id), h2.max_outbound_frame_size)
                if room_bytes <= 0:
                    continue
                stuck = False
                piece, outgoing.rest = outgoing.rest[:room_bytes], outgoing.rest[room_bytes:]
                framed_bytes += len(piece)
                done = not outgoing.rest
                h2.send_data(stream_id, piece, end_stream=done and not outgoing.trailers)
                if done:
                    del self._outgoing[stream_id]
                    if outgoing.trailers:
                        h2.send_headers(stream_id, outgoing.trailers, end_stream=True)

    def _is_done(self) -> bool:
        """All is answered and no more will be. A request in service is still in `_requests`."""
        limit = self._context.behaviour.close_after
        ends = self._client_done or self._ignores_new or (limit and self.served >= limit)
        return bool(ends) and not self._requests and not self._outgoing

    def _announce_close(self) -> None:
        """Say that no further request is processed, and close; the accepted streams have been answered."""
        self._closing = True
        # A client that is done and has all its responses needs no GOAWAY; if it has closed, a GOAWAY would turn the end
        # of the connection into a reset.
        if not self._context.behaviour.silent and (self._ignores_new or not self._client_done):
            self._h2.close_connection(ErrorCodes.NO_ERROR, last_stream_id=self._last_stream_id)

    def _sent(self) -> None:
        self._flush()

    def _close_behind(self) -> None:
        # The client may still be sending, at least acknowledgements.
        self._end_writing()
