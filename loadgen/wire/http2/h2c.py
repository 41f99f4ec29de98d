"""HTTP/2 in clear that begins with an upgrade from HTTP/1.1 (RFC 7540 §3.2), or with the server declining it."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ConnectionFlag
from loadgen.wire.errors import FAILURES, UpgradeFailure
from loadgen.wire.http1.head import parse_response_head
from loadgen.wire.http1.messages import head_ends
from loadgen.wire.http2.connection import Http2Connection
from loadgen.wire.http2.http1_fallback import Http1FallbackStreams
from loadgen.wire.http2.protocol import Http2Protocol
from loadgen.wire.lifecycle import CLOSED, UPGRADING

_MOST_INTERIM = 100
_SWITCHING = 101


class H2cConnection(Http2Connection):
    """HTTP/2 in clear after an upgrade (RFC 7540 §3.2); the first request goes with the upgrade."""

    __slots__ = ("_begun", "_interim", "_upgrading")

    offers_h2 = False

    def _send(self, now: int) -> None:
        self._begun = b""
        self._interim = 0
        self._upgrading = Http2Protocol(self.reader.most_body_bytes, upgrades=True)
        self.enter(UPGRADING, now)
        try:
            self._write(self._request.upgrade)
        except FAILURES as error:
            self._fail_by(error)

    def _receive(self, data: bytes, now: int, end: int) -> None:
        if self.state is UPGRADING:
            self._take_answer(data, now, end)
        else:
            super()._receive(data, now, end)

    def _take_answer(self, data: bytes, now: int, end: int) -> None:
        """The answer to the upgrade, or to the request where the server declines."""
        data = self._begun + data
        at = head_ends(data)
        if at == 0:
            self._begun = data
            return
        head = parse_response_head(data[:at])
        if head.status != _SWITCHING and head.status < 200 and self._interim < _MOST_INTERIM:
            self._interim += 1
            self._begun = b""
            if data[at:]:
                self._take_answer(data[at:], now, end)
            return
        if head.status == _SWITCHING:
            tokens = [value.strip().lower() for name, value in head.headers if name.lower() == b"upgrade"]
            if tokens != [b"h2c"]:
                said = repr(b", ".join(tokens)[:40].decode("latin-1")) if tokens else "missing"
                raise UpgradeFailure(ErrorKind.UPGRADE_WRONG_PROTOCOL, f"101, but its field Upgrade is {said}")
            self.flags |= ConnectionFlag.UPGRADED
            core: Http2Protocol | Http1FallbackStreams = self._upgrading
            data = data[at:]
            exchange = self._open_exchange(end)
        else:
            self.flags |= ConnectionFlag.DECLINED
            core = Http1FallbackStreams(self.reader)
            sent_ns = self.drained_ns if self.drained_ns >= 0 else now
            self.not_upgraded(sent_ns, now)
            self.handshake = self.handshake_ns()
            exchange = self._add(self._request, self.scheduled_ns, queued=False)
            exchange.sent_ns = sent_ns
        self._streams = core
        self._waiting.remove(exchange)
        self._start(exchange, core.adopt(self._request, exchange), end)
        self._ready()
        if data and self.state is not CLOSED:
            super()._receive(data, now if head.status != _SWITCHING else end, end)
