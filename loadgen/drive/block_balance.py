"""Counts a block's connections and requests by address, and by the backend that answered, over time. Judges nothing."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from loadgen.model.authority import authority
from loadgen.model.endpoint import SOCKET_PREFIX
from loadgen.model.plan import Plan
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.route_addresses import RouteChange
from loadgen.wire.transport import SocketAddress

if TYPE_CHECKING:  # see loadgen.model.plan
    from loadgen.model.block_facts import AddressChange, BalanceFacts

MAX_BACKENDS = 100
"""Values of the field that are told apart; a field that differs with each response names no backend."""
OTHER_BACKENDS = "(others)"
_MAX_NAME = 80
_MAX_HEADS = 256
_MIN_INTERVAL_NS = 50_000_000
_MAX_INTERVALS, _MAX_INTERVALS_OF_RUN = 40, 200


class BlockBalance:
    """One for a block. Times are those of the monotonic clock (ns); a request counts when it ends, warm-up included."""

    def __init__(self, field_name: str, interval_ns: int, intervals: int, begun_ns: int) -> None:
        self._field_name = field_name.lower().encode("ascii")
        self._interval_ns = interval_ns
        self._intervals = intervals
        self._begun_ns = begun_ns
        # Connections that are counted before they end, by the time at which they began to open: by the balance before
        # this one, and by this one.
        self._counted_before: set[int] = set()
        self._counted_open: set[int] = set()
        self._connections: dict[SocketAddress, list[int]] = {}
        self._requests: dict[SocketAddress, list[int]] = {}
        self._failed: dict[SocketAddress, list[int]] = {}
        self._backends: dict[str, list[int]] = {}
        # A head is kept with its name, so that no other one gets its id.
        self._names: dict[int, tuple[ResponseHead, str]] = {}

    @classmethod
    def of(cls, plan: Plan, begun_ns: int) -> BlockBalance:
        """For a block of the plan that begins now."""
        intervals = max(1, min(_MAX_INTERVALS, _MAX_INTERVALS_OF_RUN // plan.max_rounds))
        interval_ns = max(_MIN_INTERVAL_NS, plan.load.block_ns // intervals)
        return cls(plan.addressing.backend_header or "", interval_ns, -(-plan.load.block_ns // interval_ns), begun_ns)

    def start(self, begun_ns: int) -> None:
        """The block's time begins now; what was counted already, between two blocks, is in its first interval."""
        self._begun_ns = begun_ns

    def opened(self, address: SocketAddress, at_ns: int) -> None:
        """A connection to this address was opened, and has ended."""
        if at_ns in self._counted_before:
            self._counted_before.discard(at_ns)
        elif at_ns not in self._counted_open:
            self._count(self._connections, address, at_ns)

    def still_open(self, address: SocketAddress, at_ns: int) -> None:
        """The same for one that is open at the end of the block, and that a later one will tell of again."""
        if at_ns not in self._counted_before:
            self._count(self._connections, address, at_ns)
        self._counted_open.add(at_ns)

    def follow(self, before: BlockBalance) -> None:
        """Count on from where that one ended: connections outlive the block."""
        self._counted_before = before._counted_open

    def answered(self, address: SocketAddress, head: ResponseHead, at_ns: int) -> None:
        """A response with this head came from there."""
        self._count(self._requests, address, at_ns)
        if self._field_name:
            self._count(self._backends, self._name(head), at_ns)

    def failed(self, address: SocketAddress, at_ns: int) -> None:
        """A request to this address failed."""
        self._count(self._failed, address, at_ns)

    def facts(self, known: Sequence[SocketAddress] = ()) -> BalanceFacts:
        """All counts so far, as JSON values. known: addresses that stand there in any case."""
        none = [0] * self._intervals
        addresses = dict.fromkeys([*known, *self._connections, *self._requests, *self._failed])
        return {
            "begun_ns": self._begun_ns,
            "interval_ns": self._interval_ns,
            "addresses": {
                address_text(one): {
                    "connections": self._connections.get(one, none),
                    "requests": self._requests.get(one, none),
                    "failed": self._failed.get(one, none),
                }
                for one in addresses
            },
            "backends": self._backends,
            "changes": [],
        }

    def _count(self, counts: dict[Any, list[int]], key: Any, at_ns: int) -> None:
        found = counts.get(key)
        if found is None:
            found = counts[key] = [0] * self._intervals
        found[min(self._intervals - 1, max(0, at_ns - self._begun_ns) // self._interval_ns)] += 1

    def _name(self, head: ResponseHead) -> str:
        """The backend that a head names; empty where it names none."""
        known = self._names.get(id(head))
        if known is not None:
            return known[1]
        value = next((value for name, value in head.headers if name.lower() == self._field_name), b"")
        name = value.decode("latin-1").strip()[:_MAX_NAME]
        if name not in self._backends and len(self._backends) >= MAX_BACKENDS:
            name = OTHER_BACKENDS
        if len(self._names) >= _MAX_HEADS:
            self._names.clear()
        self._names[id(head)] = head, name
        return name


def address_changes(found: Sequence[RouteChange]) -> list[AddressChange]:
    """What look-ups changed, from what a route noted of them."""
    return [
        {
            "at_ns": at_ns,
            "added": [address_text(one) for one in since if one not in before],
            "removed": [address_text(one) for one in before if one not in since],
        }
        for at_ns, before, since in found
    ]


def address_text(address: SocketAddress) -> str:
    """As people write it, with its port."""
    family, where = address
    return f"{SOCKET_PREFIX}{where[0]}" if family == socket.AF_UNIX else authority(where[0], where[1])
