"""The laboratory's network: a client's namespace and a server's, joined by the relay. Knows no server and no load.

Each address of the server's has a round-trip time of its own, so that several are there at the same time.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.support.laboratory.drops import Drop
from tests.support.laboratory.namespaces import Namespace

_CLIENT_MAC, _SERVER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
# Of both IP versions, in the network of this number: the client's address, those of the server, and their prefix.
_PLANS = {4: ("10.{}.0.1", "10.{}.1.{}", 16), 6: ("fd{}::1", "fd{}::1:{}", 64)}

# How TCP is to behave, whatever the machine's own settings are. What it learns of one connection is of no use to
# others, and the receiver's window is so wide that the sender's alone is a limit.
_SETTINGS = {
    "tcp_congestion_control": "reno",
    "tcp_no_metrics_save": "1",
    "tcp_slow_start_after_idle": "0",
    "tcp_timestamps": "1",
    "tcp_rmem": "4096 4194304 6291456",
    "tcp_wmem": "4096 16384 4194304",
    "tcp_tw_reuse": "1",
    # Of clients, of servers, and of each that listens, asked or not: the bits 1, 2 and 0x400.
    "tcp_fastopen": "1027",
}


class Relayed(NamedTuple):
    """What the relay has done since it was last asked."""

    frames: int
    late_p50_ns: int
    late_p99_ns: int
    late_max_ns: int
    waiting: list[Drop]
    """Rules that no segment has met yet."""


class Network:
    """Two namespaces, `client` and `server`, and the relay between them."""

    def __init__(self, number: int, client: Namespace, server: Namespace, relay: subprocess.Popen[str]) -> None:
        self.client = client
        self.server = server
        self.addresses = [_PLANS[4][1].format(number, last) for last in range(1, 20)]
        """The server's of IPv4, some of them still to come."""
        self._number = number
        self._relay = relay
        self._addresses: dict[tuple[int, int], str] = {}
        self._lock = threading.RLock()  # runs may begin in several threads

    def address(self, rtt_ns: int, version: int = 4) -> str:
        """The server's address, of this version of IP, with this round-trip time."""
        with self._lock:
            key = rtt_ns, version
            if key not in self._addresses:
                self._addresses[key] = self._new_address(rtt_ns, version)
            return self._addresses[key]

    def drop(self, *rules: Drop) -> None:
        """The relay obeys these rules from now on, and no others."""
        self._order({"drops": [list(rule) for rule in rules]})

    def relayed(self) -> Relayed:
        return self._order({})

    def _new_address(self, rtt_ns: int, version: int) -> str:
        _, pattern, prefix = _PLANS[version]
        address, interface = pattern.format(self._number, len(self._addresses) + 1), _interface(self._number)
        self.server.ip(f"addr add {address}/{prefix} dev {interface}")
        # Known from the start: else the first connection would wait a round trip for ARP as well.
        self.client.ip(f"neigh add {address} lladdr {_SERVER_MAC} nud permanent dev {interface}")
        self._order({"delay": [ipaddress.ip_address(address).packed.hex(), rtt_ns // 2]})
        return address

    def _order(self, order: dict[str, object]) -> Relayed:
        assert self._relay.stdin is not None
        assert self._relay.stdout is not None
        with self._lock:
            self._relay.stdin.write(json.dumps(order) + "\n")
            self._relay.stdin.flush()
            answer = json.loads(self._relay.stdout.readline())
        return Relayed(**{**answer, "waiting": [Drop(*rule) for rule in answer["waiting"]]})


def missing() -> str:
    """What this machine lacks for such a network; empty where nothing."""
    if os.geteuid():
        return "only root may make network namespaces"
    if shutil.which("ip") is None:
        return "ip is not installed (Debian: iproute2)"
    try:
        Namespace().close()
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except OSError as error:
        return f"this machine permits no network namespaces or no packet sockets ({error})"
    return ""


@contextmanager
def network(client: Namespace | None = None, number: int = 77) -> Iterator[Network]:
    """A network until the end of the block. Raises OSError where the machine does not permit one.

    client: the server's namespace of another network, which has another number: what runs there is in both.
    """
    with ExitStack() as stack:
        client = client or _namespace(stack)
        middle, server = _namespace(stack), _namespace(stack)
        interface = _interface(number)
        client.cable(interface, middle, "client")
        server.cable(interface, middle, "server")
        for namespace, own in ((client, _CLIENT_MAC), (server, _SERVER_MAC)):
            namespace.ip(f"link set {interface} address {own}")
            namespace.set(f"ipv6/conf/{interface}/accept_dad", "0")  # whether an address is taken needs no asking
            namespace.set(f"ipv6/conf/{interface}/disable_ipv6", "0")
            for name, value in _SETTINGS.items():
                namespace.set(f"ipv4/{name}", value)
        for near, far, prefix in _PLANS.values():
            client.ip(f"addr add {near.format(number)}/{prefix} dev {interface}")
            server.ip(
                f"addr add {far.format(number, 0)}/{prefix} dev {interface}",
                f"neigh add {near.format(number)} lladdr {_CLIENT_MAC} nud permanent dev {interface}",
            )
        with middle.entered():
            # It ends with its standard input.
            command = [sys.executable, "-m", "tests.support.laboratory.relay", "client", "server"]
            relay = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
        assert relay.stdout is not None
        if relay.stdout.readline() != "ready\n":
            raise OSError("the relay did not start")
        yield Network(number, client, server, relay)


def _interface(number: int) -> str:
    return f"wire{number}"


def _namespace(stack: ExitStack) -> Namespace:
    namespace = Namespace()
    stack.callback(namespace.close)
    return namespace
