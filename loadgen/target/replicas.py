"""Several servers on consecutive addresses and one port, as the replicas behind one name; the last one comes and goes.

Knows no command line. Each one is a server of its own, and says in the field X-Replica which.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent

from loadgen.model.exceptions import PlanError
from loadgen.model.units import NS_PER_S
from loadgen.target.behaviour import Behaviour
from loadgen.target.server import TargetServer

MAX_REPLICAS = 100


def replica_addresses(host: str, replicas: int) -> list[str]:
    """Their addresses: `host` and those that follow it. Raises PlanError."""
    if replicas == 1:
        return [host]
    if not 1 <= replicas <= MAX_REPLICAS:
        raise PlanError(f"--replicas is {replicas}; it must be from 1 to {MAX_REPLICAS}")
    try:
        first = ipaddress.ip_address(host)
        return [f"{first + number}" for number in range(replicas)]
    except ValueError:
        raise PlanError(
            f"--replicas counts addresses from --host on, and {host!r} is none that it can do so from"
        ) from None


class Replicas:
    """All of them. serve: makes the server of an address, as TargetServer does. Raises OSError where one can't listen.

    from_ns, until_ns: when the last one comes and goes; 0 for at once, and for never.
    """

    def __init__(
        self, addresses: list[str], port: int, behaviour: Behaviour, tls_context: Any = None, from_ns: int = 0,
        until_ns: int = 0, serve: Callable[..., TargetServer] = TargetServer,
    ) -> None:  # fmt: skip
        self._make = serve
        self._given = behaviour, tls_context
        self._is_alone = len(addresses) == 1
        self._last = addresses[-1]
        self._servers = {addresses[0]: self._serve(addresses[0], port)}
        self.port = self._servers[addresses[0]].port
        for address in addresses[1 : -1 if from_ns else None]:
            self._servers[address] = self._serve(address, self.port)
        self._timers = [
            gevent.spawn_later(at_ns / NS_PER_S, action)
            for at_ns, action in ((from_ns, self._come), (until_ns, self._go))
            if at_ns and not self._is_alone
        ]

    def present(self) -> list[str]:
        """The addresses of those that are there now."""
        return list(self._servers)

    def close(self) -> None:
        """All stop listening and close their connections."""
        for timer in self._timers:
            timer.kill(block=False)
        for server in self._servers.values():
            server.close()

    def _serve(self, address: str, port: int) -> TargetServer:
        behaviour, tls_context = self._given
        own = behaviour if self._is_alone else replace(behaviour, replica=address)
        return self._make(address, port, own, tls_context)

    def _come(self) -> None:
        self._servers[self._last] = self._serve(self._last, self.port)

    def _go(self) -> None:
        self._servers.pop(self._last).close()
