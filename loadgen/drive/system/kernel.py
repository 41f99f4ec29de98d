"""What a block's connections cost the kernel: TIME_WAIT sockets and who holds them, retransmits, overflows, ports.

Reads /proc, TCP_INFO and what sock_diag.py counts; knows no HTTP, no loop and no policy. What the kernel does not tell
is None; nothing raises.

TIME_WAIT of client and server, and the ports in use, are of this target alone. All else in block["kernel"] is counted
by the kernel for the whole network namespace, so other programmes of the machine (or the container) are in it too.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Any, Protocol

from loadgen.drive.system.ports import TIME_WAIT_S, Ip, destination, port_supply
from loadgen.drive.system.sock_diag import SockDiag, Sockets

NET = Path("/proc/net")

_SOCKSTAT = re.compile(rb"^TCP: inuse (\d+) .*?\btw (\d+)", re.MULTILINE)
_SOCKSTAT6 = re.compile(rb"^TCP6: inuse (\d+)", re.MULTILINE)
_TIME_WAIT = b"06"  # TCP_TIME_WAIT of linux/include/net/tcp_states.h
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# struct tcp_info of linux/tcp.h: tcpi_rtt at 68, tcpi_snd_cwnd at 80, tcpi_total_retrans at 100.
_TCP_INFO = struct.Struct("=68xI8xI16xI")
# Our name, the table's file, its line, the kernel's name. SYN-ACKs sent again count as SYNs, and both as segments.
_COUNTERS = (
    ("syn_retransmits", "netstat", b"TcpExt:", b"TCPSynRetrans"),
    ("listen_overflows", "netstat", b"TcpExt:", b"ListenOverflows"),
    ("listen_drops", "netstat", b"TcpExt:", b"ListenDrops"),
    ("retransmits", "snmp", b"Tcp:", b"RetransSegs"),
)


class KernelMonitor:
    """Reads the kernel's counters around each block: begin, tick now and then, end. One for a run; close it after.

    begun: the target's sockets when the block under way began; what a block added is the difference to its end, never
    below 0. Past a run's first minute sockets of earlier blocks end meanwhile, so that a block may have added more.

    A tick takes about 5 µs and may come while requests are timed; begin and end may not. For them and held the kernel
    walks through its whole hash table of connections: that is all they cost while sockets are few. Measured with both
    cores busy and a table of 262,144 buckets; a quiet machine, its caches warm, walked it in 0.6 ms:

    | the target's sockets                 | over netlink | from the text of /proc |
    |--------------------------------------|--------------|------------------------|
    | 20 in TIME_WAIT                      | 3.5 ms       | 22 ms                  |
    | 3,000 in TIME_WAIT                   | 5.5 ms       | 30 ms                  |
    | 29,300 in TIME_WAIT                  | 18 ms        | 82 ms                  |
    | 29,200 in TIME_WAIT and 4,000 open   | 26 ms        | 93 ms                  |
    """

    def __init__(self, target_port: int, target_address: str, sources: tuple[str, ...] = ()) -> None:
        self.supply = port_supply(target_address, sources)
        self._sides = _Sides(target_port, target_address)
        self._tables = [_Table("sockstat"), _Table("sockstat6")]
        self._counters: dict[str, int | None] = {}
        self._before: int | None = None
        self._time_wait: int | None = None
        self._peak: int | None = None
        self._sockets_peak: int | None = None
        self.begun = TimeWaitSockets()
        self._tcp: list[tuple[int, int, int]] = []

    def begin(self) -> None:
        """The block begins."""
        self._tcp.clear()
        self._peak = self._sockets_peak = None
        self._counters = _counters()
        self.tick()
        self._before = self._time_wait
        self.begun = self.held()

    def tick(self) -> None:
        """Note the TCP sockets and the TIME_WAIT sockets of now; the highest of a block are its peaks."""
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
        """Note what the kernel knows of one client socket. Once per connection, or its retransmits count twice."""
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
            self._tcp.append(_TCP_INFO.unpack(info))
        except (OSError, struct.error):  # closed already, or a kernel that tells less
            return

    def end(self) -> dict[str, Any]:
        """The block is over: its facts, `kernel` and `tcp`."""
        counters = {name: _since(self._counters.get(name), value) for name, value in _counters().items()}
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
            **counters,
            "ports": {
                "range": self.supply.there,
                "in_use": held.in_use,
                "reusable": held.reusable,
                "left": held.left_of(self.supply.there),
            },
        }
        return {"kernel": kernel, "tcp": self._tcp_facts()}

    def held(self) -> TimeWaitSockets:
        """Who holds how many sockets now; takes as long as `end`."""
        return self._sides.count(self.supply.held_s)

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
class TimeWaitSockets:
    """Sockets towards one target. client, server: those in TIME_WAIT, by the side that holds them.

    in_use: the client's, in any state. reusable: those of `client` whose port the kernel gives out again already.
    """

    client: int | None = None
    server: int | None = None
    in_use: int | None = None
    reusable: int | None = None

    def left_of(self, ports: int | None) -> int | None:
        """How many of so many ports a new connection could still get."""
        if ports is None or self.in_use is None or self.reusable is None:
            return None
        return max(0, ports - self.in_use + self.reusable)


class _Source(Protocol):
    """Counts a target's sockets in the kernel; raises OSError where it can't."""

    def count(self, left_s: float) -> Sockets: ...


class _Sides:
    """Counts the sockets of a target's connections, those of the client and of the server, by the first way open."""

    def __init__(self, port: int, address: str) -> None:
        ip = destination(address)
        self._server_is_here = ip is not None and _is_here(ip)
        # A sandbox may forbid netlink, a kernel may lack its module; the text is slow, but nearly always there.
        self._sources: tuple[_Source, ...] = (SockDiag(port, ip), _Text(port, ip))

    def count(self, held_s: float) -> TimeWaitSockets:
        """Count now. A client's port is free again `held_s` after its socket came into TIME_WAIT."""
        for source in self._sources:
            try:
                found = source.count(TIME_WAIT_S - held_s)
            except OSError:
                continue
            server = found.server if self._server_is_here else None
            return TimeWaitSockets(found.client, server, found.in_use, found.reusable)
        return TimeWaitSockets()


class _Text:
    """Counts in the kernel's tables of text.

    A table's line: `sl: local:port remote:port state tx_queue:rx_queue tr:when …`, all in hexadecimal.
    """

    def __init__(self, port: int, ip: Ip | None) -> None:
        # A literal beginning lets the regex run over a table of some MB at memory's speed: one pattern for a table.
        self._patterns = {
            table: (
                re.compile(rb" %s:%04X ([0-9A-F]{2}) [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:([0-9A-F]+)" % (name, port)),
                re.compile(rb": %s:%04X [0-9A-F]+:[0-9A-F]+ 06 " % (name, port)),
            )
            for table, name in _table_names(ip).items()
        }

    def count(self, left_s: float) -> Sockets:
        """Count now."""
        texts = {table: _read(table) for table in self._patterns}
        if not any(texts.values()):
            raise FileNotFoundError("no table of TCP sockets")
        client = server = in_use = reusable = 0
        # `when` is the time that is left of the TIME_WAIT; hexadecimal of equal length sorts like its numbers.
        freed = b"%08X" % int(left_s * _TICKS_PER_S)
        for table, (remote, local) in self._patterns.items():
            found = remote.findall(texts[table])
            waiting = [when for state, when in found if state == _TIME_WAIT]
            in_use += len(found)
            client += len(waiting)
            reusable += sum(when <= freed for when in waiting)
            server += len(local.findall(texts[table]))
        return Sockets(client, server, in_use, reusable)


class _Table:
    """A small table of the kernel's, kept open: a new read gives its new state."""

    def __init__(self, name: str) -> None:
        try:
            self._fd = os.open(NET / name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def read(self) -> bytes:
        try:
            return os.pread(self._fd, 4096, 0)
        except OSError:  # there never was one
            return b""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def _is_here(ip: Ip) -> bool:
    """The address is this machine's: a socket can be bound to it."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((str(ip), 0))
    except OSError:
        return False
    return True


def _table_names(ip: Ip | None) -> dict[str, bytes]:
    """How each table of sockets writes the address, as a regex; an IPv6 socket may speak IPv4 (RFC 4291 §2.5.5.2)."""
    if ip is None:
        return {"tcp": rb"[0-9A-F]+", "tcp6": rb"[0-9A-F]+"}
    if ip.version == 4:
        mapped = bytes(10) + b"\xff\xff" + ip.packed
        return {"tcp": _hexadecimal(ip.packed), "tcp6": _hexadecimal(mapped)}
    return {"tcp6": _hexadecimal(ip.packed)}


def _hexadecimal(packed: bytes) -> bytes:
    """The address as the kernel prints it: words of 32 bits in the machine's byte order."""
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return b"".join(b"%08X" % int.from_bytes(word, sys.byteorder) for word in words)


def _counters() -> dict[str, int | None]:
    """The kernel's counters now, by our names."""
    texts = {table: _read(table) for table in ("netstat", "snmp")}
    return {name: _counter(texts[table], line, kernel) for name, table, line, kernel in _COUNTERS}


def _counter(text: bytes, line: bytes, name: bytes) -> int | None:
    """One value of a table in which a line of names stands above a line of values."""
    lines = [words for words in map(bytes.split, text.splitlines()) if words and words[0] == line]
    try:
        return int(lines[1][lines[0].index(name)])
    except (ValueError, IndexError):
        return None


def _since(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else now - before


def _added(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None else max(0, now - before)


def _read(table: str) -> bytes:
    try:
        return (NET / table).read_bytes()
    except OSError:
        return b""
