"""A connection whose requests may be uploads: sent in pieces, and the body only once the server wants it.

Other requests go as on any connection. Knows no policy and no file.
"""

from __future__ import annotations

from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.records import ABSENT, Ending
from loadgen.wire.clock import PhaseClock, Timer
from loadgen.wire.connection import Connection
from loadgen.wire.errors import FAILURES, Failure
from loadgen.wire.http1.interim import CONTINUE, InterimFilter
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.http1.upload import Upload
from loadgen.wire.lifecycle import CLOSED, RECEIVING, SENDING, WAITING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import READ, READ_SIZE, WRITE

# A long body must not keep the loop from other connections; what is left goes in its next turn.
_MAX_PIECES_PER_TURN = 16


class UploadConnection(Connection):
    """One connection and its exchanges, one at a time."""

    __slots__ = ("_asked_ns", "_continue_timeout_s", "_counts", "_end", "_interim", "_piece", "_timer")

    def __init__(
        self, number: int, route: Route, listener: Listener, clock: PhaseClock, reader: ResponseReader,
        continue_timeout_s: float, counts: ContinueCounts,
    ) -> None:  # fmt: skip
        """continue_timeout_s: how long a body waits at most. counts: of all such connections of a block."""
        super().__init__(number, route, listener, clock, reader)
        self._continue_timeout_s = continue_timeout_s
        self._counts = counts
        # How many bytes of the present upload may be sent by now; and when its body began to wait, ABSENT where it
        # does not.
        self._end = 0
        self._asked_ns = ABSENT
        # The bytes that are to be sent next.
        self._piece = memoryview(b"")
        # Of an upload that is not answered yet; None for other requests, which leave this to the reader.
        self._interim: InterimFilter | None = None
        self._timer: Timer | None = None

    def close(self, ending: Ending) -> None:
        super().close(ending)
        self._end_wait(self.entered_ns(CLOSED))

    def _send(self, left_ns: int) -> None:
        request = self._request
        self.continue_wait_ns = ABSENT
        self._interim = None
        if not isinstance(request, Upload):
            super()._send(left_ns)
            return
        if self.handshake is None:
            self.enter(SENDING, self._clock.monotonic_ns(), left_ns)
            self.handshake = self.handshake_ns()
        else:
            self.enter(SENDING, left_ns)
        self.bytes_sent = 0
        self._piece = memoryview(b"")
        self._end = len(request.head) if request.expects else len(request)
        self._interim = InterimFilter() if request.expects else None
        self._send_pieces()

    def _send_pieces(self) -> None:
        """Send what may be sent by now, as far as the kernel takes it in this turn."""
        for _ in range(_MAX_PIECES_PER_TURN):
            if not self._piece and not self._read_piece():
                return
            try:
                sent = self._transport.send(self._piece)
            except FAILURES as error:
                self._on_unsendable(error)
                return
            if sent <= 0:
                break
            self._piece = self._piece[sent:]
            self.bytes_sent += sent
            if self.bytes_sent == self._end:
                self._all_sent()
                return
        self._transport.watch(READ | WRITE, self._on_sendable)

    def _read_piece(self) -> bool:
        """Take the next bytes of the upload; False where its file has failed, and the exchange with it."""
        begin = self.bytes_sent
        try:
            self._piece = memoryview(self._request[begin : min(self._end, begin + READ_SIZE)])
        except Failure as error:
            self._fail(error.kind, str(error))
            return False
        return True

    def _all_sent(self) -> None:
        """All that may be sent by now is: the whole request, or the head of one whose body waits."""
        now = self._clock.monotonic_ns()
        self._transport.watch(READ, self._on_readable)
        if self._end == len(self._request):
            if self.state == SENDING:
                self.enter(WAITING, now)
            return
        self._asked_ns = now
        self._counts.asked += 1
        timer = self._timer = self._timer or self._clock.timer(self._on_timeout)
        timer.begin(self._continue_timeout_s)

    def _on_sendable(self) -> None:
        if not isinstance(self._request, Upload):
            super()._on_sendable()
            return
        self._note_lag()
        self._send_pieces()
        if self.state != CLOSED and self.bytes_sent < self._end and self._send_error is None:
            self._read(self._clock.monotonic_ns())

    def _place_of_close(self) -> tuple[int, bool]:
        interim = self._interim
        if interim is not None and interim.has_only_interim:
            return self.state, False  # as for other requests, whose reader takes them
        if interim is not None and interim.has_part:
            return RECEIVING, self.request_index > 0
        return super()._place_of_close()

    def _on_timeout(self) -> None:
        """100 Continue did not come: a server need not send it (RFC 9110 §10.1.1)."""
        self._counts.timed_out += 1
        self._send_body(self._note_lag())

    def _send_body(self, now: int) -> None:
        """The body has waited until `now`."""
        self._end_wait(now)
        self._end = len(self._request)
        self._send_pieces()

    def _end_wait(self, now: int) -> None:
        if self._asked_ns >= 0:
            self.continue_wait_ns = now - self._asked_ns
            self._asked_ns = ABSENT
            if self._timer is not None:
                self._timer.cancel()

    def _take(self, size: int, now: int, end: int) -> bool:
        interim = self._interim
        if interim is None or self.state not in (SENDING, WAITING):
            return super()._take(size, now, end)
        if self.state == WAITING and now < self.entered_ns(WAITING):
            now = end  # the body was sent in this turn of the loop, after `now`
        buffer = self._transport.buffer
        statuses, rest = interim.feed(bytes(memoryview(buffer)[:size]))
        self.bytes_received += size - len(rest)
        left = self._left_ns(now)
        if rest:
            # The final response, whose begin may have come with earlier reads. Behind a 100 in the same read, it was
            # sent before the server had the body: nothing is waited for once that is sent.
            self._interim = None
            self.enter(RECEIVING, now, left)
        if CONTINUE in statuses and self._asked_ns >= 0:
            self._counts.received += 1
            self._send_body(left)
        if self.state == CLOSED or not rest:
            return self.state != CLOSED
        if self._asked_ns >= 0:
            self._counts.refused += 1
            self._end_wait(left)
        buffer[: len(rest)] = rest
        return super()._take(len(rest), now, end)
