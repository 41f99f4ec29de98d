"""HTTP/2 in clear that begins with an upgrade from HTTP/1.1 (RFC 7540 §3.2), or with the server declining it."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ConnectionFlag
from loadgen.wire.errors import FAILURES, UpgradeFailure
from loadgen.wire.http1.final_head import SWITCHING_PROTOCOLS, FinalHead, FinalHeadReader
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.http2.stream import StreamExchange
from loadgen.wire.lifecycle import CLOSED, SENDING, UPGRADING


class H2cConnection(Http2Connection):
    """HTTP/2 in clear after an upgrade (RFC 7540 §3.2); the first request goes with the upgrade."""

    __slots__ = ("_heads", "_offered")

    offers_h2 = False

    def _send(self, left_ns: int) -> None:
        """The transport is open: offer the upgrade, with the first request."""
        self._heads = FinalHeadReader()
        # The protocol as it goes on where the server takes the offer.
        self._offered = Http2Protocol(self.reader.max_body_bytes, True, self.reader.keeps_bodies)
        self._begin(UPGRADING, left_ns)
        try:
            self._write(self._request.upgrade)
        except FAILURES as error:
            self._fail_by(error)

    def _receive(self, data: bytes, now: int, end: int) -> None:
        if self.state != UPGRADING:
            super()._receive(data, now, end)
            return
        found = self._heads.feed(data)
        if found is None:
            return
        if found.head.status == SWITCHING_PROTOCOLS:
            self._switch(found, end)
        else:
            self._go_on_in_http1(found, now, end)

    def _switch(self, found: FinalHead, end: int) -> None:
        """The server takes the offer: the request that went with it is the one of stream 1."""
        _check_protocol(found.head)
        self.flags |= ConnectionFlag.UPGRADED
        self.enter(SENDING, end)
        exchange = self._open_exchange()
        self._adopt(exchange, self._offered, end)
        if found.rest and self.state != CLOSED:
            super()._receive(found.rest, end, end)

    def _go_on_in_http1(self, found: FinalHead, now: int, end: int) -> None:
        """The server declines: this head begins the answer to the request that went with the offer."""
        self.flags |= ConnectionFlag.DECLINED
        sent_ns = self.drained_ns if self.drained_ns >= 0 else now
        self.not_upgraded(sent_ns, now)
        self._opening_own_ns = self.own_ns
        self.handshake = self.handshake_ns()
        exchange = self._add(self._request, self.scheduled_ns, queued=False)
        exchange.sent_ns = sent_ns
        self._adopt(exchange, Http1FallbackStreams(self.reader), end)
        if self.state != CLOSED:
            super()._receive(found.raw + found.rest, now, end)

    def _adopt(self, exchange: StreamExchange, streams: Http2Protocol | Http1FallbackStreams, end: int) -> None:
        """Go on with these streams, the first of which is the exchange that was sent with the offer."""
        self._streams = streams
        self._waiting.remove(exchange)
        self._start(exchange, streams.adopt(self._request, exchange), end)
        self._ready()


def _check_protocol(head: ResponseHead) -> None:
    """Raises UpgradeFailure where a 101 switches to anything but h2c."""
    tokens = [value.strip().lower() for name, value in head.headers if name.lower() == b"upgrade"]
    if tokens != [b"h2c"]:
        value = repr(b", ".join(tokens)[:40].decode("latin-1")) if tokens else "missing"
        raise UpgradeFailure(ErrorKind.UPGRADE_WRONG_PROTOCOL, f"101, but its field Upgrade is {value}")
