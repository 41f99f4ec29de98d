"""A connection that speaks HTTP/2 (RFC 9113): by ALPN, by prior knowledge, or upgraded from HTTP/1.1 (RFC 7540 §3.2).

The frames are read and written by the h2 library, which does no input or output of its own. Knows no HTTP/1.1 but the
request that was upgraded.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from h2.config import H2Configuration
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

from loadgen.target.connection import ServerConnection, ServerContext, service_timer
from loadgen.target.http2_rules import (
    MAX_HEADER_LIST_BYTES,
    ServerH2Connection,
    is_valid,
    server_settings,
    valid_request,
)
from loadgen.target.requests import BODY, Fields, Request
from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder
from loadgen.wire.transport import TcpTransport

_CONFIGURATION = H2Configuration(
    client_side=False,
    header_encoding=None,
    # Ours are valid as they are; the client's are checked below, each distinct section once.
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
)
# What a client may open before it has heard of our limit; enough for one that assumes there is none.
_STREAMS_AT_FIRST = 1000
# Frames of large bodies wait here only as far as one write may take them.
_BATCH_BYTES = 256 * 1024
_MAX_BODY_BYTES = 1 << 30


class _Outgoing:
    """What a stream still has to send."""

    __slots__ = ("rest", "trailers")

    def __init__(self, rest: memoryview, trailers: Fields) -> None:
        self.rest = rest
        self.trailers = trailers


class Http2ServerConnection(ServerConnection):
    """Answers each stream's request as soon as it is complete, or after its service time.

    `_requests` holds the streams whose request is not answered yet, with the size of its body so far; `_delays` those
    in service; `_outgoing` those whose response waits for flow control or for room to write. `_skips`: streams are not
    looked at any more. `_parts`: the client has said that it is done.
    """

    __slots__ = ("_delays", "_h2", "_last_stream_id", "_outgoing", "_parts", "_requests", "_skips", "_upgraded")

    def __init__(self, house: ServerContext, transport: TcpTransport) -> None:
        super().__init__(house, transport)
        h2 = self._h2 = ServerH2Connection(_CONFIGURATION)
        h2.encoder, h2.decoder = RememberingEncoder(), RememberingDecoder()
        h2.decoder.max_header_list_size = MAX_HEADER_LIST_BYTES
        self._requests: dict[int, tuple[Request, int]] = {}
        self._delays: dict[int, Any] = {}
        self._outgoing: dict[int, _Outgoing] = {}
        self._last_stream_id = 0
        self._skips = self._parts = self._upgraded = False

    @property
    def protocol(self) -> str:  # type: ignore[override] # it does not change, but depends on how it came about
        return "h2c" if self._upgraded else "h2"

    @property
    def busy(self) -> bool:
        return bool(self._delays or self._outgoing or self._unsent)

    def begin(self, data: bytes) -> None:
        """Begin with the client's preface, of which `data` is what has come already."""
        self._announce()
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
        self._announce()
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
        if self._house.behaviour.silent:
            self.close()
        elif not self._closing:
            self._leave()
            self._flush()

    def _announce(self) -> None:
        """The settings that `initiate_connection` sends."""
        self._h2.local_settings = server_settings(self._house.behaviour.max_streams)

    def _expect_acknowledgement(self) -> None:
        """What was sent binds the client once it has acknowledged it (RFC 9113 §6.5.3), and no sooner."""
        settings = self._h2.local_settings = server_settings(_STREAMS_AT_FIRST)
        settings[SettingCodes.MAX_CONCURRENT_STREAMS] = self._house.behaviour.max_streams

    def _received(self, data: bytes) -> None:
        try:
            complete: list[int] = []
            for event in self._h2.receive_data(data):
                self._take(event, complete)
            for stream_id in complete:
                if stream_id in self._requests:
                    self._serve(stream_id)
        except H2Error:
            # The GOAWAY that says why is written.
            self._give_up()
        self._flush()

    def _take(self, event: Event, complete: list[int]) -> None:
        """Note what happened; the streams whose request is complete go to `complete`."""
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
            # Without an error, what the client has asked for is answered yet (RFC 9113 §6.8).
            if event.error_code == ErrorCodes.NO_ERROR:
                self._parts = True
            else:
                self._give_up()

    def _begin_request(self, stream_id: int, fields: Fields) -> None:
        limit = self._house.behaviour.close_after
        if limit and self.served + len(self._requests) >= limit:
            # The GOAWAY to come will tell the client that this one was not looked at (RFC 9113 §6.8). It names the last
            # one that was: so none behind this one may be, even if the client resets another and makes room.
            self._skips = True
        if self._skips:
            return
        self._last_stream_id = stream_id
        request = valid_request(fields)
        if request is None:
            self._reset(stream_id, ErrorCodes.PROTOCOL_ERROR)
            return
        self._requests[stream_id] = (request, 0)
        if request.expects_continue:
            with suppress(ProtocolError):  # the client may have reset it already
                self._h2.send_headers(stream_id, ((b":status", b"100"),))

    def _count_body(self, stream_id: int, size_bytes: int) -> None:
        """Drop octets of a request's body, and let the client send as many more."""
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
        """Nothing is answered any more, and what is written already is the last."""
        self._closing = self._skips = True
        for stream_id in {*self._requests, *self._delays, *self._outgoing}:
            self._forget(stream_id)

    def _serve(self, stream_id: int) -> None:
        """Answer a complete request, now or when its service time is over."""
        behaviour = self._house.behaviour
        if not behaviour.delay_ns or self._requests[stream_id][0].asks is not BODY:
            self._answer(stream_id)
            return

        def due() -> None:
            self._delays.pop(stream_id).close()
            self._answer(stream_id)
            self._flush()

        self._delays[stream_id] = service_timer(behaviour.delay_ns, due)

    def _answer(self, stream_id: int) -> None:
        request, _ = self._requests.pop(stream_id)
        if request.asks is BODY:
            self.served += 1
        else:
            self.asked = True
        head, body, trailers = self._house.answers.content(request, self.served)
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
                    self._leave()
            data = self._h2.data_to_send()
            if data:
                self._send(data)
            elif self._closing and self._linger is None:
                self._finish()
            if not data or self._closing:
                return

    def _send_more(self) -> None:
        """Frame the next octets of waiting bodies, a frame of each in turn, for one write."""
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
        """All is answered, and nothing more is to be. A request in service is still among the requests."""
        limit = self._house.behaviour.close_after
        ends = self._parts or self._skips or (limit and self.served >= limit)
        return bool(ends) and not self._requests and not self._outgoing

    def _leave(self) -> None:
        """Say that no further request is looked at, and close; the streams that were looked at are answered."""
        self._closing = True
        # A client that is done itself, and got all it asked for, needs no word: and if it has closed, a word would meet
        # no one, and turn the end of its connection into a reset.
        if not self._house.behaviour.silent and (self._skips or not self._parts):
            self._h2.close_connection(ErrorCodes.NO_ERROR, last_stream_id=self._last_stream_id)

    def _sent(self) -> None:
        self._flush()

    def _finish(self) -> None:
        # The client may still be sending, acknowledgements at the least.
        self._end_writing()
