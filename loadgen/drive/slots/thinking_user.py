"""A closed-loop client that thinks between two requests. Knows no connection: subclasses say how a request is sent."""

from __future__ import annotations

from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.slot import pause_after


class ThinkingUser:
    """One closed-loop client. Whatever sends its requests calls `served`."""

    __slots__ = ("_context", "_pause")

    def __init__(self, context: SlotContext) -> None:
        self._context = context
        self._pause = context.clock.timer(self.begin)

    def begin(self) -> None:
        """Have the next request sent, if one may still begin."""
        raise NotImplementedError

    def begin_after(self, seconds: float) -> None:
        """Have the next request sent after `seconds`."""
        self._pause.begin(seconds)

    def served(self, outcome: int) -> None:
        """Its request has ended."""
        context = self._context
        if not context.running:
            context.exchange_drained()
            return
        pause_s = pause_after(outcome, context.think_s)
        if pause_s:
            self._pause.begin(pause_s)
        else:
            self.begin()

    def stop(self) -> None:
        """The block is over: no further request begins."""
        self._pause.cancel()
