"""Closed-loop users whose requests go to several origins, one request at a time. Marks no time of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from loadgen.drive.origins.origin_choice import OriginChoice
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.context import SlotContext
from loadgen.drive.slots.mixed_slots import MixedSequence
from loadgen.drive.slots.pool import Pool
from loadgen.drive.slots.slot import pause_after
from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_S


class OriginSender(Protocol):
    """What one user's requests to one origin go by."""

    def rest_s(self, gap_s: float) -> float:
        """How long (s) its connection has to rest yet, so that it was unused for `gap_s`; 0 or less for not at all."""

    def send_next(self) -> None:
        """Send a request; its user's `served` is called when it has ended."""


class OriginUser:
    """One closed-loop client. `senders` are those to each origin, which call `served`."""

    __slots__ = ("_choice", "_chosen", "_context", "_pause", "senders")

    def __init__(self, context: SlotContext, choice: OriginChoice) -> None:
        self._context = context
        self._choice = choice
        self._chosen: OriginSender | None = None
        self._pause = context.clock.timer(self.begin)
        self.senders: Sequence[OriginSender] = ()

    def begin(self) -> None:
        """Send the next request, if one may still begin, or wait until its connection has rested."""
        context = self._context
        if context.left <= 0:
            return
        sender = self._chosen or self.senders[self._choice.next()]
        rest_s = sender.rest_s(context.gap_s) if context.gap_s else 0.0
        if rest_s > 0:
            self._chosen = sender
            self._pause.begin(rest_s)
            return
        self._chosen = None
        context.left -= 1
        sender.send_next()

    def begin_after(self, seconds: float) -> None:
        """Send the next request after `seconds`."""
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


class OriginSlot(MixedSequence):
    """The slot of one user's own connection to one origin."""

    __slots__ = ("_user",)

    def __init__(self, origin: OriginContext, index: int, user_state: UserState, user: OriginUser) -> None:
        super().__init__(origin, index * origin.origins + origin.place, user_state)
        self._user = user

    def rest_s(self, gap_s: float) -> float:
        connection = self.connection
        if connection is None:
            return 0.0
        return gap_s - (self._context.clock.monotonic_ns() - connection.idle_since_ns) / NS_PER_S

    def send_next(self) -> None:
        self.send(0)

    def done(self, outcome: int) -> None:
        self._user.served(outcome)


class PooledSender:
    """One user's way to one origin by that origin's pool."""

    __slots__ = ("_pool", "served", "user_state")

    def __init__(self, pool: Pool, user_state: UserState, user: OriginUser) -> None:
        self._pool = pool
        self.user_state = user_state
        self.served = user.served

    def rest_s(self, gap_s: float) -> float:
        return 0.0

    def send_next(self) -> None:
        self._pool.submit(self, 0, ABSENT)
