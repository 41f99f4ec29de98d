"""Where a process and its descendants really listen, by the kernel's own tables."""

from __future__ import annotations

import ipaddress
import re
import sys
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN of linux/include/net/tcp_states.h
_PROC = Path("/proc")


def family(pid: int) -> set[int]:
    """The process and its descendants."""
    parents: dict[int, int] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports on which the process and its descendants accept TCP connections."""
    inodes = {inode for one in family(pid) for inode in _sockets(one)}
    return {place for table in ("tcp", "tcp6") for place, inode in _listeners(table) if inode in inodes}


def _sockets(pid: int) -> set[str]:
    found = set()
    for path in (_PROC / str(pid) / "fd").glob("*"):
        with suppress(OSError):
            if match := re.fullmatch(r"socket:\[(\d+)\]", str(path.readlink())):
                found.add(match[1])
    return found


def _listeners(table: str) -> list[tuple[tuple[str, int], str]]:
    lines = (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
    rows = [line.split() for line in lines]
    return [(_place(row[1]), row[9]) for row in rows if row[3] == _LISTEN]


def _place(text: str) -> tuple[str, int]:
    """The kernel prints an address as words of 32 bits in the machine's own order of bytes."""
    address, _, port = text.partition(":")
    words = [int(address[start : start + 8], 16) for start in range(0, len(address), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return str(ipaddress.ip_address(packed)), int(port, 16)
