"""Which early data may be replayed: a ClientHello that came before is not taken again (RFC 8446 §8.2). Knows no socket.

OpenSSL's own guard lets each ticket be used once (§8.1), so that a client which closes as soon as it has its response
never gets another ticket in time. OpenSSL does refuse early data whose ticket is older, or younger, than the client
says, by more than ten seconds (§8.3); so a ClientHello need not be remembered for longer.
"""

from __future__ import annotations

from loadgen.model.units import NS_PER_S

_REMEMBERED_NS = 15 * NS_PER_S


class ReplayGuard:
    """One for all servers that share the keys of tickets."""

    def __init__(self) -> None:
        # Sets that take turns, so that forgetting costs nothing: what is in one of them came in the last 30 s.
        self._newer: set[bytes] = set()
        self._older: set[bytes] = set()
        self._turned_ns = 0

    def admits(self, random: bytes, now_ns: int) -> bool:
        """Whether a ClientHello with this random value comes for the first time. now_ns: on a monotonic clock."""
        passed_ns = now_ns - self._turned_ns
        if passed_ns >= _REMEMBERED_NS:
            self._older = self._newer if passed_ns < 2 * _REMEMBERED_NS else set()
            self._newer = set()
            self._turned_ns = now_ns
        if random in self._newer or random in self._older:
            return False
        self._newer.add(random)
        return True
