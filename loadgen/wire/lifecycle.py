"""The life cycle of a connection: its states are the phases, each transition stamps a time. Knows no bytes.

A phase ends where the next one begins, or where the generator's own work for it begins (`own_ns`): so the phases of a
request and its own work tile its time without gap or overlap. A state that was not entered is absent, never 0.
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
# The same as integers of C, where compiled.
_RESOLVING, _CONNECTING, _TUNNELLING, _HANDSHAKING, _UPGRADING, _SENDING, _WAITING, _RECEIVING = range(1, 9)
_ABSENT = ABSENT


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
    """A state, when each state was last entered (ns), and when its phase ended; ABSENT where it was not entered."""

    __slots__ = ("_entered", "_left", "own_ns", "state")

    def __init__(self) -> None:
        self.state: int = NEW
        self.own_ns = 0
        """The generator's own work within the present request: the time between its phases."""
        self._entered = [ABSENT] * 11  # one for each state
        self._left = [ABSENT] * 11

    def enter(self, state: int, now_ns: int, left_ns: int = -1) -> None:
        """Step to `state` at `now_ns`. Raises IllegalTransition.

        left_ns: when the phase before ended. What lies between is the generator's own work; there is none by default.
        """
        present = self.state
        if not _LEGAL[present] >> state & 1:
            raise IllegalTransition(f"{State(present).name} -> {State(state).name}")
        if left_ns < 0:
            left_ns = now_ns
        self._left[present] = left_ns
        self.own_ns += now_ns - left_ns
        self._entered[state] = now_ns
        self.state = state

    def entered_ns(self, state: int) -> int:
        """When `state` was last entered."""
        return self._entered[state]

    def handshake_ns(self) -> tuple[int, int, int, int, int]:
        """Durations (ns) of dns, connect, tunnel, tls and upgrade; ABSENT where a phase did not happen.

        Call it when the first request begins to be sent, or at the end of a connection that never got there (the phase
        it ended in lasts until then): later exchanges overwrite the times.
        """
        return (
            self._duration_ns(_RESOLVING), self._duration_ns(_CONNECTING), self._duration_ns(_TUNNELLING),
            self._duration_ns(_HANDSHAKING), self._duration_ns(_UPGRADING),
        )  # fmt: skip

    def not_upgraded(self, sent_ns: int, now_ns: int) -> None:
        """The peer answers in HTTP/1.1 instead of upgrading: the request sent by `sent_ns` was an ordinary one.

        Its phases are send and wait, as without an offer to upgrade. The answer begins at `now_ns`.
        """
        begun = self._entered[_UPGRADING]
        self.enter(_SENDING, begun)
        self._entered[_UPGRADING] = ABSENT
        self.enter(_WAITING, sent_ns)
        self.enter(_RECEIVING, now_ns)

    def not_begun(self) -> None:
        """What came is an interim response, a message of its own (RFC 9110 §15.2): the final one is still waited for.

        The state is again what it was before RECEIVING, as if nothing had come.
        """
        before = _WAITING if self._entered[_WAITING] >= self._entered[_SENDING] else _SENDING
        self.own_ns -= self._entered[_RECEIVING] - self._left[before]  # it lies within the phase now
        self._entered[_RECEIVING] = _ABSENT
        self.state = before

    def phase_ns(self, state: int) -> int:
        """The duration (ns) of the phase `state` of the exchange that has just ended; ABSENT where it had none."""
        begun = self._entered[_SENDING]
        entered = self._entered[state]
        # A time from before this exchange began belongs to an earlier one.
        return self._left[state] - entered if 0 <= begun <= entered else _ABSENT

    def _duration_ns(self, state: int) -> int:
        return self._left[state] - self._entered[state] if self._entered[state] >= 0 else _ABSENT
