"""Happy Eyeballs (RFC 8305): several addresses are tried, each a moment after the one before, until one has answered.

Both families take turns (§4), attempts overlap (§5), and one that fails makes the next one begin at once. The name is
looked up before that: of §3 only the Resolution Delay is played, by wire/dns_resolver.py. Knows no HTTP; counts what
the attempts cost, and judges nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from errno import EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, ENETUNREACH
from functools import partial
from itertools import chain, zip_longest

from loadgen.model.units import NS_PER_S
from loadgen.wire.errors import RESETS
from loadgen.wire.poller import NOTHING, WRITE, Poller
from loadgen.wire.syscalls import os_error
from loadgen.wire.transport import SocketAddress, Step, Transport

NO_WAY = (ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT)
"""What says that this machine has no way there; any other error says more about the target."""

_COUNTS = ("races", "attempts", "lost_connected", "won_ipv4", "won_ipv6", "delayed", "delay_ns", "connect_ns")


def interleaved(addresses: Iterable[SocketAddress], first: int | None = None) -> list[SocketAddress]:
    """The families in turns, each in its own order (RFC 8305 §4).

    first: the family that begins, where there is an address of it; None for that of the first address.
    """
    found = list(addresses)
    begins = found[0][0] if first is None and found else first
    leading = [one for one in found if one[0] == begins]
    other = [one for one in found if one[0] != begins]
    return [one for one in chain.from_iterable(zip_longest(leading, other)) if one is not None]


class RaceCounts:
    """What the races of a route's connections cost since `take` was called last: a RaceFacts."""

    def __init__(self) -> None:
        self._facts = dict.fromkeys(_COUNTS, 0)

    def add(self, name: str, amount: int = 1) -> None:
        """Count one more, or add a time (ns)."""
        self._facts[name] += amount

    def take(self) -> dict[str, int]:
        """All of it, once."""
        found, self._facts = self._facts, dict.fromkeys(_COUNTS, 0)
        return found


class _Attempt:
    """One address that is being tried. begun_ns: just before connect(2)."""

    __slots__ = ("address", "begun_ns", "stream")

    def __init__(self, address: SocketAddress, stream: Transport) -> None:
        self.address = address
        self.stream = stream
        self.begun_ns = 0


class AddressRace(Transport):
    """Stands in for a connection's stream until one of its addresses has answered: then `settled` gives that stream.

    order: gives the addresses to try. make: gives a new stream for each attempt. delay_ns: the time between two.
    """

    __slots__ = (
        "_begun_ns", "_callback", "_counts", "_delay_ns", "_error", "_failures", "_hub", "_make", "_order", "_timer",
        "_under_way", "_waiting", "_winner", "delay_ns",
    )  # fmt: skip

    def __init__(
        self, hub: Poller, order: Callable[[], list[SocketAddress]], delay_ns: int, counts: RaceCounts,
        make: Callable[[], Transport],
    ) -> None:  # fmt: skip
        Transport.__init__(self, hub.buffer)
        self._hub = hub
        self._order = order
        self._delay_ns = delay_ns
        self._counts = counts
        self._make = make
        self._timer = hub.timer(self._begin_next)
        self._waiting: list[SocketAddress] = []
        self._under_way: list[_Attempt] = []
        self._failures: list[tuple[SocketAddress, OSError]] = []
        self._winner: _Attempt | None = None
        self._error: OSError | None = None
        self._begun_ns = 0
        self.delay_ns = 0
        """How much later than the first attempt the winning one began."""

    @property
    def address(self) -> SocketAddress | None:
        """That of the attempt that has won, or whose error is raised; None while that is open."""
        if self._winner is not None:
            return self._winner.address
        return None if self._error is None else self._told()[0]

    @property
    def settled(self) -> Transport:
        """The stream to go on with; this one, which raises in `establish`, where none of the addresses has answered."""
        return self if self._winner is None or self._error is not None else self._winner.stream

    def connect(self, address: SocketAddress, callback: Callable[[], None]) -> int:
        """Begin the first attempt: at the first address of the order, whichever is given.

        Raises OSError where all fail at once.
        """
        self._callback = callback
        self._waiting = self._order()
        self._counts.add("races")
        self._begun_ns = self._hub.monotonic_ns()
        self._begin_next()
        if not self._under_way:
            raise self._all_failed()
        return self._begun_ns

    def establish(self) -> Step:
        raise self._error or OSError("the race is not over")

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        """There is nothing to wait for but the decision."""

    def close(self) -> None:
        """Give up: every attempt under way is lost."""
        self._timer.cancel()
        for attempt in self._under_way:
            if attempt is not self._winner and attempt.stream.was_connected():
                self._counts.add("lost_connected")
            attempt.stream.close()
        self._under_way.clear()

    def was_connected(self) -> bool:
        """One of the attempts was; from then on that one is the connection."""
        if self._winner is None:
            self._winner = next((one for one in self._under_way if one.stream.was_connected()), None)
        return self._winner is not None

    # Inside

    def _begin_next(self) -> None:
        """Begin the next attempt, or that after it where it fails at once."""
        while self._waiting:
            attempt = _Attempt(self._waiting.pop(0), self._make())
            stream = attempt.stream
            stream.stamps_arrivals, stream.options = self.stamps_arrivals, self.options
            self._counts.add("attempts")
            try:
                attempt.begun_ns = stream.connect(attempt.address, partial(self._on_event, attempt))
            except OSError as error:
                self._note_failure(attempt, error)
                continue
            if not self._under_way and not self._failures:
                self._begun_ns = attempt.begun_ns
            self._under_way.append(attempt)
            if self._waiting:
                self._timer.begin(self._delay_ns / NS_PER_S)
            return

    def _on_event(self, attempt: _Attempt) -> None:
        """Whether this attempt has connected is decided."""
        # A socket that is writable and has no error to report is connected.
        code = 0
        if self._hub.events != WRITE:
            code = attempt.stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code or code in RESETS:  # what is reset was accepted
            self._win(attempt, os_error(code) if code else None)
            return
        self._under_way.remove(attempt)
        self._note_failure(attempt, os_error(code))
        if self._waiting:
            self._timer.cancel()
            self._begin_next()
        if not self._under_way:
            self._error = self._all_failed()
            self._callback()

    def _win(self, attempt: _Attempt, error: OSError | None) -> None:
        self._winner, self._error = attempt, error
        attempt.stream.watch(NOTHING, self._callback)  # until its owner says what to wait for
        self.connected_ns = attempt.stream.connected_ns
        self.delay_ns = attempt.begun_ns - self._begun_ns
        connected_ns = self.connected_ns or max(attempt.begun_ns, self._hub.polled_ns)
        self._note_won(attempt, connected_ns - attempt.begun_ns)
        self._under_way.remove(attempt)
        self.close()
        if error is not None:
            self._under_way.append(attempt)  # to be closed with this
        self._callback()

    def _note_won(self, attempt: _Attempt, connect_ns: int) -> None:
        """connect_ns: what this attempt alone took."""
        counts = self._counts
        counts.add("won_ipv6" if attempt.address[0] == socket.AF_INET6 else "won_ipv4")
        counts.add("delayed", self.delay_ns > 0)
        counts.add("delay_ns", self.delay_ns)
        counts.add("connect_ns", connect_ns)

    def _note_failure(self, attempt: _Attempt, error: OSError) -> None:
        attempt.stream.close()
        self._failures.append((attempt.address, error))

    def _all_failed(self) -> OSError:
        """What is raised: the kind of one failure, and all of them in words where there are several."""
        _, error = self._told()
        if len(self._failures) == 1:
            return error
        each = "; ".join(f"{address[1][0]}: {found.strerror}" for address, found in self._failures)
        return OSError(error.errno, each)

    def _told(self) -> tuple[SocketAddress, OSError]:
        """The first failure that says more than that there is no way there, else the first."""
        telling = [one for one in self._failures if one[1].errno not in NO_WAY]
        return (telling or self._failures)[0]
