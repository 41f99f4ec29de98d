"""The addresses that connections to a target go to, or to its proxy: looked up, kept for their time, taken in turns.

Opens nothing, and knows no TLS.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from loadgen.model.address_spread import FIRST, RANDOM
from loadgen.model.address_value_types import RECORD_TTL
from loadgen.model.addressing import Addressing
from loadgen.model.authority import is_ipv6
from loadgen.model.endpoint import Endpoint, parse_dns_server
from loadgen.model.proxy import Proxy
from loadgen.model.target import Target
from loadgen.wire.address_race import RaceCounts, interleaved
from loadgen.wire.dns_resolver import DnsAnswer, resolve_by_dns, socket_address
from loadgen.wire.resolver import resolve
from loadgen.wire.transport import SocketAddress

# With Happy Eyeballs IPv6 addresses are awaited for this long once IPv4 ones are there (RFC 8305 §3).
_RESOLUTION_DELAY_S = 0.05

RouteChange = tuple[int, list[SocketAddress], list[SocketAddress]]
"""When a look-up found other addresses than the one before (ns), those before and those since."""


class RouteAddresses:
    """Those of one target, and the local ones that connections come from."""

    def __init__(
        self, target: Target, addresses: Sequence[SocketAddress], sources: tuple[str, ...], proxy: Proxy | None,
        addressing: Addressing,
    ) -> None:  # fmt: skip
        self.target = target
        self.addressing = addressing
        self.endpoint = addressing.endpoint(target, proxy)
        """What connections are opened to."""
        self.target_end = addressing.endpoint(target)
        """What is to be reached, by the proxy where there is one."""
        self.proxy = proxy
        """Connections go to this proxy instead of the target."""
        self.found_target = ""
        """The target's address, for a proxy that takes addresses alone; empty unless its name was looked up."""
        self.addresses = list(addresses) or self._known()
        """Those of the target, or of the proxy; empty until the first connection has resolved the name. Connections go
        to the first one."""
        self.sources = sources
        """Local addresses to connect from, those of a family in turns; empty to leave the choice to the kernel."""
        self._sources: dict[int, list[str]] = {
            family: found
            for family in (socket.AF_INET, socket.AF_INET6)
            if (found := [one for one in sources if is_ipv6(one) == (family == socket.AF_INET6)])
        }
        self._turn = 0
        self._dropped: list[SocketAddress] = []
        self._spread = addressing.addresses
        self._next = -1
        self._skipped = 0
        self._once: SocketAddress | None = None
        # Addresses are kept for a time that is known, or that each answer says.
        self._keeps = addressing.dns_ttl_ns is not None and not self.endpoint.is_fixed
        self._ttl_ns = addressing.dns_ttl_ns or 0
        self._resolve: Any = None
        if addressing.asks_dns and not self.endpoint.is_fixed:
            server = None if addressing.dns_server is None else parse_dns_server(addressing.dns_server)
            patience_s = _RESOLUTION_DELAY_S if addressing.happy_eyeballs_ns else None
            self._resolve = partial(resolve_by_dns, server=server, patience_s=patience_s)
        self.race_delay_ns = 0 if self.endpoint.socket else addressing.happy_eyeballs_ns or 0
        """A new connection tries several addresses, each this much after the one before (ns); 0: it tries one."""
        self.races = RaceCounts()
        self._looked_up_ns = 0
        self._waiting: list[Callable[[list[SocketAddress] | OSError], None]] = []
        self._changes: list[RouteChange] = []

    @property
    def peer(self) -> tuple[str, int]:
        """Host and port that connections go to."""
        return self.endpoint.host, self.endpoint.port

    def has_addresses(self, now_ns: int, look_up: bool) -> bool:
        """Whether a connection that begins now needs no look-up. look_up: its policy wants one each time.

        Where addresses may be kept for some time, such a policy's are too.
        """
        if not self.addresses or (look_up and not self._keeps):
            return False
        return not self._keeps or now_ns - self._looked_up_ns < self._ttl_ns

    def next_address(self) -> SocketAddress:
        """Where the next connection goes."""
        addresses = self.addresses
        once, self._once = self._once, None
        if once is not None:
            return once
        if self._spread == FIRST or len(addresses) == 1:
            return addresses[0]
        if self._spread == RANDOM:
            return random.choice(addresses)  # noqa: S311 # no secret
        self._next += 1
        return addresses[self._next % len(addresses)]

    def race_order(self) -> list[SocketAddress]:
        """The addresses in the order in which a new connection tries them, where it tries several.

        IPv6 begins where DNS servers were asked; the system's resolver has put them in order itself (RFC 6724).
        """
        return interleaved(self.addresses, socket.AF_INET6 if self.addressing.asks_dns else None)

    def settle(self, address: SocketAddress) -> None:
        """Connections go to this address from now on, which has won a race."""
        self.race_delay_ns = 0
        self.addresses[:] = [address, *(one for one in self.addresses if one != address)]

    def look_up(self, callback: Callable[[list[SocketAddress] | OSError], None]) -> None:
        """Ask the resolver; calls back in the loop. One answer is for all that ask before it is there."""
        if not self._keeps:
            self._ask(callback)
            return
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            self._ask(self._found)

    def set_addresses(self, found: list[SocketAddress], now_ns: int = 0) -> SocketAddress:
        """Keep the addresses that the resolver found by `now_ns`; returns the one to connect to.

        Raises OSError where no source address is of the family of any of them.
        """
        if isinstance(found, DnsAnswer) and self.addressing.dns_ttl_ns == RECORD_TTL:
            self._ttl_ns = found.ttl_ns
        if self._sources:
            found = [address for address in found if address[0] in self._sources]
            if not found:
                versions = "IPv6" if socket.AF_INET6 in self._sources else "IPv4"
                raise OSError(None, f"{self.endpoint.host} has no {versions} address, and --source-ip is one")
        usable = [address for address in found if address not in self._dropped] or found
        if self._looked_up_ns and set(usable) != set(self.addresses):
            self._changes.append((now_ns, list(self.addresses), list(usable)))
        self._looked_up_ns = now_ns
        self.addresses[:] = usable
        return self.next_address()

    def take_changes(self) -> list[RouteChange]:
        """Look-ups since the last call that found other addresses than the one before."""
        found, self._changes = self._changes, []
        return found

    def skip_address(self) -> bool:
        """The address that the run's first request went to does not answer: try another; False where none is left.

        Where connections go to one address alone, the first that answers is that from now on. Else it stays one of
        them: what it costs that some do not answer is measured.
        """
        self._skipped += 1
        if self.race_delay_ns:
            return False  # all were tried
        if self._spread == FIRST:
            if len(self.addresses) < 2:
                return False
            self._dropped.append(self.addresses.pop(0))
            return True
        if self._skipped >= len(self.addresses):
            self._skipped = 0
            return False
        self._once = self.addresses[self._skipped]
        return True

    def restore_addresses(self) -> None:
        """Addresses that were dropped may answer by now: use them again, in the order in which they were found."""
        self.addresses[:0] = self._dropped
        self._dropped.clear()

    def next_source(self) -> Mapping[int, str] | None:
        """The address to connect from, for each family that has one; None where the kernel chooses."""
        if not self._sources:
            return None
        turn = self._turn
        self._turn = turn + 1
        return {family: found[turn % len(found)] for family, found in self._sources.items()}

    # Inside

    def _ask(self, callback: Callable[[list[SocketAddress] | OSError], None]) -> None:
        """For a proxy that takes addresses alone, the target's name is looked up before its own."""
        find, family = self._resolve or resolve, self.addressing.family
        far = self._far_end()
        if far is None:
            find(*self.peer, callback, family)
            return

        def on_target(found: list[SocketAddress] | OSError) -> None:
            if isinstance(found, OSError):
                callback(OSError(found.errno, f"the target {far}: {found.strerror}"))
                return
            self.found_target = found[0][1][0]
            find(*self.peer, callback, family)

        find(far.host, far.port, on_target, family)

    def _found(self, found: list[SocketAddress] | OSError) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback(found)

    def _far_end(self) -> Endpoint | None:
        """What has to be looked up besides, because the proxy takes addresses alone; None for nothing."""
        if self.proxy is None or not self.proxy.takes_addresses:
            return None
        return None if self.target_end.is_fixed else self.target_end

    def _known(self) -> list[SocketAddress]:
        """The addresses of connections, where no resolver has to be asked for anything."""
        return [] if self._far_end() is not None else _known(self.endpoint)


def _known(endpoint: Endpoint) -> list[SocketAddress]:
    """The addresses that no resolver has to be asked for."""
    if endpoint.socket:
        return [(socket.AF_UNIX, (endpoint.socket,))]
    return [socket_address(text, endpoint.port) for text in endpoint.addresses]
