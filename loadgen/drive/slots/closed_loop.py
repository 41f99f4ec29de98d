"""A closed-loop client on a connection of its own: sends, waits for the whole response, thinks, repeats."""

from __future__ import annotations

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import ConnectionSlot, pause_after


class ClosedLoopUser(ConnectionSlot):
    """One closed-loop client, which is the slot of its own connection."""

    __slots__ = ("_pause",)

    def __init__(self, context: SlotContext, index: int, client: UserState) -> None:
        super().__init__(context, index, client)
        self._pause = context.clock.timer(self.begin)

    def begin(self) -> None:
        """Send the next request, if one may still begin."""
        context = self._context
        if context.left > 0:
            context.left -= 1
            self.send(0)

    def begin_after(self, seconds: float) -> None:
        """Send the next request after `seconds`, or later where the present connection has to rest longer."""
        if self.connection is not None:  # the run's first user has one before its block begins
            seconds = max(seconds, self._context.gap_s)
        self._pause.begin(seconds)

    def done(self, outcome: int) -> None:
        context = self._context
        if not context.running:
            context.exchange_drained()
            return
        pause_s = pause_after(outcome, context.think_s)
        if context.gap_s > pause_s and self.connection is not None:
            pause_s = context.gap_s
        if pause_s:
            self._pause.begin(pause_s)
        else:
            self.begin()

    def stop(self) -> None:
        """The block is over: no further request begins, an idle connection is closed."""
        self._pause.cancel()
        self.close_idle()
