"""The life cycle of a connection: its states are the phases, each transition stamps a time. Knows no bytes.

A phase's duration is the time from entering its state to entering the next one, so the phases of a request tile its
time without gap or overlap. A state that was not entered is absent, never 0.
"""

from __future__ import annotations

from enum import IntEnum

from loadgen.model.records import ABSENT


class State(IntEnum):
    """Where a connection is. RESOLVING to RECEIVING are the phases from dns to receive."""

    NEW = 0
    RESOLVING = 1
    CONNECTING = 2
    TUNNELLING = 3
    HANDSHAKING = 4
    UPGRADING = 5
    SENDING = 6
    WAITING = 7
    RECEIVING = 8
    IDLE = 9
    CLOSED = 10


# Plain names: looking a member up on the Enum class costs more than the transition itself.
NEW, RESOLVING, CONNECTING, TUNNELLING, HANDSHAKING, UPGRADING, SENDING, WAITING, RECEIVING, IDLE, CLOSED = State


def _bits(*states: State) -> int:
    return sum(1 << state for state in states)


_LEGAL = (
    _bits(RESOLVING, CONNECTING, CLOSED),  # NEW
    _bits(CONNECTING, CLOSED),  # RESOLVING
    _bits(TUNNELLING, HANDSHAKING, UPGRADING, SENDING, CLOSED),  # CONNECTING
    _bits(HANDSHAKING, UPGRADING, SENDING, CLOSED),  # TUNNELLING
    _bits(UPGRADING, SENDING, CLOSED),  # HANDSHAKING
    _bits(SENDING, IDLE, CLOSED),  # UPGRADING
    # A server may answer before it has read everything, so SENDING can lead straight to RECEIVING.
    _bits(WAITING, RECEIVING, CLOSED),  # SENDING
    _bits(RECEIVING, CLOSED),  # WAITING
    _bits(IDLE, CLOSED),  # RECEIVING
    _bits(SENDING, CLOSED),  # IDLE
    0,  # CLOSED
)


class IllegalTransition(RuntimeError):
    """The engine tried a step that the life cycle does not have: a defect here, never caused by the target."""


class Lifecycle:
    """A state and the time (ns) at which each state was last entered; ABSENT where it was not."""

    __slots__ = ("entered", "state")

    def __init__(self) -> None:
        self.state = NEW
        self.entered = [ABSENT] * len(_LEGAL)

    def enter(self, state: State, now_ns: int) -> None:
        """Step to `state` at `now_ns`. Raises IllegalTransition."""
        if not _LEGAL[self.state] >> state & 1:
            raise IllegalTransition(f"{self.state.name} -> {state.name}")
        self.entered[state] = now_ns
        self.state = state

    def handshake_ns(self) -> tuple[int, int, int, int, int]:
        """Durations (ns) of dns, connect, tunnel, tls and upgrade; ABSENT where a phase did not happen.

        Call it when the first request begins to be sent, or at the end of a connection that never got there (the phase
        it ended in lasts until then): later exchanges overwrite the times.
        """
        entered = self.entered
        durations = []
        end = entered[CLOSED] if entered[SENDING] < 0 else entered[SENDING]
        for state in (UPGRADING, HANDSHAKING, TUNNELLING, CONNECTING, RESOLVING):
            begun = entered[state]
            if begun < 0:
                durations.append(ABSENT)
            else:
                durations.append(end - begun)
                end = begun
        upgrade, tls, tunnel, connect, dns = durations
        return dns, connect, tunnel, tls, upgrade

    def not_upgraded(self, sent_ns: int, now_ns: int) -> None:
        """The peer answers in HTTP/1.1 instead of upgrading: the request sent by `sent_ns` was an ordinary one.

        Its phases are send and wait, as without an offer to upgrade. The answer begins at `now_ns`.
        """
        begun = self.entered[UPGRADING]
        self.enter(SENDING, begun)
        self.entered[UPGRADING] = ABSENT
        self.enter(WAITING, sent_ns)
        self.enter(RECEIVING, now_ns)

    def exchange_ns(self, end_ns: int) -> tuple[int, int, int]:
        """Durations (ns) of send, wait and receive of the exchange that ends at `end_ns`; ABSENT where none."""
        begun = self.entered[SENDING]
        if begun < 0:
            return ABSENT, ABSENT, ABSENT
        waiting, receiving = self.entered[WAITING], self.entered[RECEIVING]
        # A time from before this exchange began belongs to an earlier one.
        receive = end_ns - receiving if receiving >= begun else ABSENT
        end_ns = receiving if receiving >= begun else end_ns
        wait = end_ns - waiting if waiting >= begun else ABSENT
        end_ns = waiting if waiting >= begun else end_ns
        return end_ns - begun, wait, receive
