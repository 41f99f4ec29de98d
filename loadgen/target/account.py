"""The target's own account of connections and requests. Knows of a connection only what it counts."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any, Protocol

from loadgen.target.behaviour import PROTOCOLS

_MAX_ENDED = 256


class Counted(Protocol):
    """What the account reads from a connection."""

    served: int
    """Requests, or messages, that count."""
    had_internal: bool
    """It also carried requests that do not count: for the account itself, or for the fields of a request."""
    number: int
    """In the order of acceptance, from 1."""
    last_ns: int
    """When it was last used."""
    ended_by: str
    """`client` or `server`; empty while it is open."""

    @property
    def protocol(self) -> str:
        """One of PROTOCOLS: what it speaks now."""


class Account:
    """Counts connections and their requests."""

    def __init__(self) -> None:
        self._accepted = self._numbered = 0
        self._ended: deque[dict[str, Any]] = deque(maxlen=_MAX_ENDED)
        self._open: set[Any] = set()
        self._requests_of_closed: Counter[int] = Counter()
        self._protocols_of_closed: Counter[str] = Counter()
        self._headers: Counter[str] = Counter()
        self._early: Counter[str] = Counter()
        self._expectations: Counter[str] = Counter()

    @property
    def opened(self) -> list[Any]:
        """The connections that are open now, of the type that they were given in."""
        return list(self._open)

    def accepted(self, connection: Counted) -> None:
        """A connection was accepted."""
        self._accepted += 1
        self._numbered += 1
        connection.number = self._numbered
        self._open.add(connection)

    def upgraded(self, before: Counted, after: Counted) -> None:
        """A connection continues as another object, which has its counts."""
        self._open.discard(before)
        self._open.add(after)

    def announced(self, version: int, source: tuple[str, int] | None, peer: tuple[str, int]) -> None:
        """A connection began with a header of the PROXY protocol. source: whose it is, as that says; peer: its own."""
        self._headers[f"version_{version}"] += 1
        if source is not None:
            self._headers["same_source" if source == peer else "other_source"] += 1

    def began_early(self, outcome: str) -> None:
        """A connection's first request was sent as early data. outcome: `accepted`, `rejected` or `replayed`."""
        self._early[outcome] += 1

    def expected(self, answer: str) -> None:
        """A request with `Expect: 100-continue` came without its body, and got this answer (see EXPECT_ANSWERS)."""
        self._expectations[answer] += 1

    def closed(self, connection: Counted) -> None:
        """A connection has closed; a second call changes nothing."""
        if connection in self._open:
            self._open.discard(connection)
            if connection.had_internal:
                self._ended.append(_known(connection))
            if _counts(connection):
                self._requests_of_closed[connection.served] += 1
                self._protocols_of_closed[connection.protocol] += 1
            else:
                self._accepted -= 1

    def connections(self) -> dict[str, Any]:
        """Of connections that carried an internal request: number, how long they are or were idle, and who ended them.

        Of those that have ended, the latest.
        """
        still_open = [_known(one) for one in self._open if one.had_internal]
        return {"connections": [*self._ended, *still_open]}

    def stats(self) -> dict[str, Any]:
        """Accepted and open connections, requests, how many connections carried how many, and what they spoke.

        Where there were headers of the PROXY protocol also their versions, and whether they named the connection's own
        source; where early data was sent, what became of it; and where requests expected 100 Continue, how often they
        got which answer.
        """
        counted = [one for one in self._open if _counts(one)]
        uncounted = len(self._open) - len(counted)
        per_connection = self._requests_of_closed + Counter(one.served for one in counted)
        protocols = self._protocols_of_closed + Counter(one.protocol for one in counted)
        return {
            "accepted": self._accepted - uncounted,
            "open": len(counted),
            "requests": sum(requests * count for requests, count in per_connection.items()),
            "requests_per_connection": {str(requests): per_connection[requests] for requests in sorted(per_connection)},
            "protocols": {name: protocols[name] for name in PROTOCOLS},
            **({"proxy_protocol": dict(self._headers)} if self._headers else {}),
            **({"early_data": dict(self._early)} if self._early else {}),
            **({"expectations": dict(self._expectations)} if self._expectations else {}),
        }


def _known(connection: Counted) -> dict[str, Any]:
    idle_ns = time.monotonic_ns() - connection.last_ns
    return {"number": connection.number, "idle_ns": idle_ns, "ended": connection.ended_by or None}


def _counts(connection: Counted) -> bool:
    """A connection for nothing but the account does not count; a proxy may use one that also carries other requests."""
    return connection.served > 0 or not connection.had_internal


def add_accounts(one: Any, other: Any) -> Any:
    """The sum of the accounts of two targets that served one run after each other; None where one is not known."""
    if one is None or other is None:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: add_accounts(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
            for key in one | other
        }
    return one + other if isinstance(one, int | float) and isinstance(other, int | float) else other


def subtract_accounts(total: Any, part: Any) -> Any:
    """The account of what came after `part` had been counted; None where one of them is not known.

    What is open now is open now, whatever was open then.
    """
    if total is None or part is None:
        return None
    carried = _difference(total["requests_per_connection"], part["requests_per_connection"])
    return {
        **_difference(total, part),
        "open": total["open"],
        "requests_per_connection": {requests: count for requests, count in carried.items() if count},
    }


def _difference(total: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _difference(value, part.get(key, {})) if isinstance(value, dict) else value - part.get(key, 0)
        for key, value in total.items()
    }
