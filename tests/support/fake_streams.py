"""An HTTP/2 connection without bytes, for tests of what owns one."""

from __future__ import annotations

from typing import Any

from loadgen.model.records import ABSENT, Ending
from loadgen.wire.connection import Connection
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CLOSED, CONNECTING, IDLE, RECEIVING, SENDING
from tests.support.fake_network import MS, FakeClock, FakeRoute

HEAD = ResponseHead(200, "2", 0, True, frozenset(), None, None, ())


class FakeStreams(Connection):
    """An HTTP/2 connection without its protocol: a test ends each exchange by its index."""

    accepts = True
    awaits_close = False

    def __init__(self, number: int, slot: Any, clock: FakeClock) -> None:
        super().__init__(number, FakeRoute(clock), slot, clock, ResponseReader(1000))
        self.reader.set_head(HEAD)
        self.handshake = (ABSENT, MS, ABSENT, ABSENT, ABSENT)
        self.submitted = 0
        self._now = clock.monotonic_ns
        self._running: dict[int, int] = {}

    @property
    def in_flight(self) -> int:
        return len(self._running)

    @property
    def requests_begun(self) -> int:
        return self.submitted

    def is_reusable(self) -> bool:
        return self.accepts

    def open(self, request: Any, scheduled_ns: int = 0, session: Any = None, look_up: bool = False) -> None:
        self.opened_ns = self._now()
        self.enter(CONNECTING, self.opened_ns)
        self._begin(scheduled_ns)

    def exchange(self, request: Any, scheduled_ns: int = 0) -> None:
        self._begin(scheduled_ns)

    def submit(self, request: Any) -> None:
        self._begin(0)

    def flush(self) -> None:
        pass

    def _begin(self, scheduled_ns: int) -> None:
        self._running[self.submitted] = scheduled_ns or self._now()
        self.submitted += 1
        if self.state == IDLE:
            self.enter(SENDING, self._now())

    def opened(self) -> None:
        self.enter(SENDING, self._now())
        self.listener.connection_ready(self)

    def end(self, index: int, outcome: int = 200) -> None:
        self.request_index, self.scheduled_ns = index, self._running.pop(index)
        if not self._running:
            self.enter(RECEIVING, self._now())
            self.enter(IDLE, self._now())
        self.listener.exchange_done(self, outcome, self._now())

    def phase_ns(self, state: int) -> int:
        return 1 + state - SENDING

    def announce_close(self) -> bool:
        return True

    def peer_has_closed(self) -> bool:
        return False

    def close(self, ending: Ending) -> None:
        self.enter(CLOSED, self._now())
        self.ending = ending
