"""What a block's connections cost the kernel: TIME_WAIT sockets and who holds them, retransmits, overflows, ports.

Reads /proc, TCP_INFO and what sock_diag.py counts; knows no HTTP, no loop and no policy. A value that the kernel hides
is None; nothing raises.

TIME_WAIT sockets of client and server, and the ports in use, are those of this target. The kernel counts all else in
block["kernel"] for the whole network namespace, which includes other programs on the machine (or in the container).
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Protocol

from loadgen.drive.system.ports import TIME_WAIT_S, Ip, PortSupply, destination, port_supply
from loadgen.drive.system.proc_net import OpenTable, TextTables, counters
from loadgen.drive.system.sock_diag import SockDiag, Sockets

_SOCKSTAT = re.compile(rb"^TCP: inuse (\d+) .*?\btw (\d+)", re.MULTILINE)
_SOCKSTAT6 = re.compile(rb"^TCP6: inuse (\d+)", re.MULTILINE)
# struct tcp_info of linux/tcp.h: tcpi_rtt at 68, tcpi_snd_cwnd at 80, tcpi_total_retrans at 100.
_TCP_INFO = struct.Struct("=68xI8xI16xI")


class KernelMonitor:
    """Reads the kernel's counters around each block: `begin`, `tick` now and then, `end`. One for a run.

    A block added the difference between `begun` and its end, never below 0. After the first 60 s, TIME_WAIT sockets of
    earlier blocks expire during a block, so the difference is a lower bound.

    `tick` (about 5 µs) is safe while requests are timed. `begin`, `end` and `held` are not: each walks the kernel's
    whole connection table, which is all that they cost while sockets are few. Measured with both cores busy and a table
    of 262,144 buckets; a quiet machine with warm caches took 0.6 ms:

    | the target's sockets                 | over netlink | from the text of /proc |
    |--------------------------------------|--------------|------------------------|
    | 20 in TIME_WAIT                      | 3.5 ms       | 22 ms                  |
    | 3,000 in TIME_WAIT                   | 5.5 ms       | 30 ms                  |
    | 29,300 in TIME_WAIT                  | 18 ms        | 82 ms                  |
    | 29,200 in TIME_WAIT and 4,000 open   | 26 ms        | 93 ms                  |
    """

    def __init__(self, target_port: int, target_address: str, sources: tuple[str, ...] = ()) -> None:
        self.supply = port_supply(target_address, sources) if target_port else PortSupply(None)
        self._counter = _SocketCounter(target_port, target_address)
        self._tables = [OpenTable("sockstat"), OpenTable("sockstat6")]
        self._counters: dict[str, int | None] = {}
        self._before: int | None = None
        self._time_wait: int | None = None
        self._peak: int | None = None
        self._sockets_peak: int | None = None
        self.begun = TargetSockets()
        """The target's sockets when the present block began."""
        self._tcp: list[tuple[int, int, int]] = []

    def begin(self) -> None:
        """The block begins."""
        self._tcp.clear()
        self._peak = self._sockets_peak = None
        self._counters = counters()
        self.tick()
        self._before = self._time_wait
        self.begun = self.held()

    def tick(self) -> None:
        """Read the number of TCP sockets and of TIME_WAIT sockets; the highest of a block are its peaks."""
        v4, v6 = (table.read() for table in self._tables)
        found = _SOCKSTAT.search(v4)
        if found is None:
            return
        found6 = _SOCKSTAT6.search(v6)
        in_use = int(found[1]) + (int(found6[1]) if found6 else 0)
        self._time_wait = time_wait = int(found[2])
        if self._peak is None or time_wait > self._peak:
            self._peak = time_wait
        if self._sockets_peak is None or in_use > self._sockets_peak:
            self._sockets_peak = in_use

    def note_tcp(self, sock: socket.socket) -> None:
        """Read TCP_INFO of one client socket. Once per connection, or its retransmits count twice."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            self._tcp.append(_TCP_INFO.unpack(info))
        except (OSError, struct.error):  # closed already, or an older kernel with less in it
            return

    def end(self) -> dict[str, Any]:
        """The block is over: its facts, `kernel` and `tcp`."""
        grown = {name: _since(self._counters.get(name), value) for name, value in counters().items()}
        self.tick()
        held = self.held()
        kernel = {
            "time_wait": {
                "before": self._before,
                "peak": self._peak,
                "after": self._time_wait,
                "client": _added(self.begun.client, held.client),
                "server": _added(self.begun.server, held.server),
                "client_held": held.client,
                "server_held": held.server,
            },
            "sockets_peak": self._sockets_peak,
            **grown,
            "ports": {
                "range": self.supply.available,
                "in_use": held.in_use,
                "reusable": held.reusable,
                "left": held.left_of(self.supply.available),
            },
        }
        return {"kernel": kernel, "tcp": self._tcp_facts()}

    def held(self) -> TargetSockets:
        """The target's sockets now; takes as long as `end`."""
        return self._counter.count(self.supply.held_s)

    def close(self) -> None:
        """Close the kernel's tables; safe to call twice."""
        for table in self._tables:
            table.close()

    def _tcp_facts(self) -> dict[str, int | None]:
        if not self._tcp:
            return {"sampled": 0, "rtt_us_p50": None, "cwnd_p50": None, "retransmits": None}
        rtts_us, windows, retransmits = zip(*self._tcp, strict=True)
        return {
            "sampled": len(self._tcp),
            "rtt_us_p50": median_low(rtts_us),
            "cwnd_p50": median_low(windows),
            "retransmits": sum(retransmits),
        }


@dataclass(frozen=True, slots=True)
class TargetSockets:
    """Sockets towards one target. client, server: those in TIME_WAIT, by the side that holds them.

    in_use: the client's, in any state. reusable: those of `client` whose port the kernel gives out again already.
    """

    client: int | None = None
    server: int | None = None
    in_use: int | None = None
    reusable: int | None = None

    def left_of(self, ports: int | None) -> int | None:
        """How many of `ports` a new connection could still get."""
        if ports is None or self.in_use is None or self.reusable is None:
            return None
        return max(0, ports - self.in_use + self.reusable)


class _SocketSource(Protocol):
    """A way to count a target's sockets; raises OSError where the kernel does not permit it."""

    def count(self, left_s: float) -> Sockets: ...


class _SocketCounter:
    """Counts the client's and the server's sockets of connections with a target, by the first source that works."""

    def __init__(self, port: int, address: str) -> None:
        ip = destination(address)
        self._server_is_here = ip is not None and _is_here(ip)
        if not port:  # a socket file has none
            self._sources: tuple[_SocketSource, ...] = ()
            return
        # A sandbox may forbid netlink, a kernel may lack its module; the text tables are slow, but nearly always exist.
        self._sources = (SockDiag(port, ip), TextTables(port, ip))

    def count(self, held_s: float) -> TargetSockets:
        """Count now. A client's port is free again `held_s` after its socket came into TIME_WAIT."""
        for source in self._sources:
            try:
                found = source.count(TIME_WAIT_S - held_s)
            except OSError:
                continue
            server = found.server if self._server_is_here else None
            return TargetSockets(found.client, server, found.in_use, found.reusable)
        return TargetSockets()


def _is_here(ip: Ip) -> bool:
    """The address belongs to this machine: a socket can be bound to it."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((str(ip), 0))
    except OSError:
        return False
    return True


def _since(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else now - before


def _added(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else max(0, now - before)
