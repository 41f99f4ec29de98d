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
from loadgen.drive.slots.thinking_user import ThinkingUser
from loadgen.model.records import ABSENT
from loadgen.model.units import NS_PER_S


class OriginSender(Protocol):
    """What one user's requests to one origin go by."""

    def rest_s(self, gap_s: float) -> float:
        """How long (s) its connection has to rest yet, so that it was unused for `gap_s`; 0 or less for not at all."""

    def send_next(self) -> None:
        """Send a request; its user's `served` is called when it has ended."""


class OriginUser(ThinkingUser):
    """One closed-loop client. `senders` are those to each origin, which call `served`."""

    __slots__ = ("_choice", "_chosen", "senders")

    def __init__(self, context: SlotContext, choice: OriginChoice) -> None:
        super().__init__(context)
        self._choice = choice
        self._chosen: OriginSender | None = None
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
