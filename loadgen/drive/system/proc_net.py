"""The kernel's tables in /proc/net: counters by name, and a target's sockets found in the text. Knows no block."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from loadgen.drive.system.ports import Ip
from loadgen.drive.system.sock_diag import Sockets

NET = Path("/proc/net")

_TIME_WAIT = b"06"  # TCP_TIME_WAIT of linux/include/net/tcp_states.h
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Our name, the table's file, its line, the kernel's name. Retransmitted SYN-ACKs count as SYNs, both as segments.
_COUNTERS = (
    ("syn_retransmits", "netstat", b"TcpExt:", b"TCPSynRetrans"),
    ("listen_overflows", "netstat", b"TcpExt:", b"ListenOverflows"),
    ("listen_drops", "netstat", b"TcpExt:", b"ListenDrops"),
    ("retransmits", "snmp", b"Tcp:", b"RetransSegs"),
)


def counters() -> dict[str, int | None]:
    """The kernel's counters now, by our names."""
    texts = {table: read_table(table) for table in ("netstat", "snmp")}
    return {name: _counter(texts[table], line, kernel) for name, table, line, kernel in _COUNTERS}


def _counter(text: bytes, line: bytes, name: bytes) -> int | None:
    """One value of a table in which a line of names stands above a line of values."""
    lines = [words for words in map(bytes.split, text.splitlines()) if words and words[0] == line]
    try:
        return int(lines[1][lines[0].index(name)])
    except (ValueError, IndexError):
        return None


class OpenTable:
    """A small table in /proc, kept open: a new read gives its new state."""

    def __init__(self, name: str) -> None:
        try:
            self._fd = os.open(NET / name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def read(self) -> bytes:
        try:
            return os.pread(self._fd, 4096, 0)
        except OSError:  # it could not be opened
            return b""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


class TextTables:
    """Counts in the kernel's text tables.

    A line of them: `sl: local:port remote:port state tx_queue:rx_queue tr:when …`, all in hexadecimal.
    """

    def __init__(self, port: int, ip: Ip | None) -> None:
        # One pattern for each table, with a literal beginning: so the regex runs over some MB at the speed of memory.
        self._patterns = {
            table: (
                re.compile(rb" %s:%04X ([0-9A-F]{2}) [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:([0-9A-F]+)" % (name, port)),
                re.compile(rb": %s:%04X [0-9A-F]+:[0-9A-F]+ 06 " % (name, port)),
            )
            for table, name in _table_names(ip).items()
        }

    def count(self, left_s: float) -> Sockets:
        """Count now."""
        texts = {table: read_table(table) for table in self._patterns}
        if not any(texts.values()):
            raise FileNotFoundError("no table of TCP sockets")
        client = server = in_use = reusable = 0
        # `when` is what is left of the TIME_WAIT; hexadecimal numbers of equal length sort like numbers.
        freed = b"%08X" % int(left_s * _TICKS_PER_S)
        for table, (remote, local) in self._patterns.items():
            found = remote.findall(texts[table])
            waiting = [when for state, when in found if state == _TIME_WAIT]
            in_use += len(found)
            client += len(waiting)
            reusable += sum(when <= freed for when in waiting)
            server += len(local.findall(texts[table]))
        return Sockets(client, server, in_use, reusable)


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


def read_table(table: str) -> bytes:
    try:
        return (NET / table).read_bytes()
    except OSError:
        return b""
