"""What tells the backends behind one address apart: fields of their responses, clocks, TCP. Opens nothing.

A mark is taken for one of backends only if its values come back in turns: a value that was replaced for good was
changed, and one that is new each time names a request.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise

from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import Reply

Marks = dict[str, str]
"""By name, what one response has of each mark."""

CERTIFICATE, CLOCK, ORDER, TCP = "certificate", "clock", "order of fields", "TCP options"
_EXACT = ("server", "via", "x-powered-by", "etag", "last-modified")
"""Fields in which servers name themselves, or which differ between copies of one file (an inode in an ETag)."""
_TELLING = re.compile(r".*(server|served|backend|upstream|node|instance|host|pod|container|worker|replica|machine).*")
"""Further ones of balancers, platforms and CDNs."""
_VOLATILE = re.compile(
    r".*(time|timing|date|request|trace|cache|count).*|age|expires|set-cookie|connection|keep-alive|content-.*"
)
"""Fields that change from one response of a server to its next."""
_COOKIES = re.compile(r"(?i)(?:^|, )(SERVERID|SRV|ROUTEID|BIGipServer[^=]*|JSESSIONID)=(?:[^;,]*\.)?([^;,.]+)")
"""Cookies by which balancers find the backend again; of JSESSIONID what follows the last dot."""
_TCP_INFO = struct.Struct("=5xBB")
_NEGOTIATED = 0b1111  # timestamps, SACK, window scale, ECN: linux/tcp.h, TCPI_OPT_*
_CLOCK_GAP_S = 3
"""Date has whole seconds, and servers write it once a second: up to 2 s apart is no difference."""


def marks_of(reply: Reply, stream: ProbeStream, header: str) -> Marks:
    """The marks of one response; with a header that the user named, that one alone."""
    if header:
        value = reply.field(header)
        return {} if value is None else {header: value}
    fields = [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in reply.head.headers]
    found = {
        name: value
        for name, value in fields
        if name in _EXACT or (_TELLING.fullmatch(name) and not _VOLATILE.fullmatch(name))
    }
    found[ORDER] = ", ".join(name for name, _ in fields if not _VOLATILE.fullmatch(name))
    for name, value in fields:
        if name == "set-cookie" and (cookie := _COOKIES.search(value)):
            found[f"cookie {cookie[1]}"] = cookie[2]
    if skew := _skew_s(reply.field("date")):
        found[CLOCK] = skew
    if tcp := _tcp_options(stream):
        found[TCP] = tcp
    return found


def telling_marks(rows: Sequence[Marks]) -> list[str]:
    """The names of those marks by which backends can be told apart, from the marks of responses in order."""
    names, rows = sorted({name for row in rows for name in row}), joined_clocks(rows)
    return [name for name in names if comes_back([row.get(name, "") for row in rows])]


def backend_of(row: Marks, telling: Sequence[str]) -> str:
    """The backend's name: its values of the telling marks."""
    return " / ".join(row.get(name, "none") for name in telling)


def names_of(rows: Sequence[Marks], telling: Sequence[str], header: str) -> list[str]:
    """Which backend each response came from. header: the field that the user named, if any; its value is no clock."""
    return [backend_of(row, telling) for row in (rows if header else joined_clocks(rows))]


def comes_back(values: Sequence[str]) -> bool:
    """Few values, in turns: neither one for each response, nor one that was replaced by another."""
    different = len(set(values))
    changes = sum(one != before for before, one in pairwise(values))
    return 1 < different <= len(values) / 2 and changes >= different


def joined_clocks(rows: Sequence[Marks]) -> list[Marks]:
    """The same marks, where clocks that differ by little are one: what is measured of a clock varies by a second."""
    skews = sorted({int(row[CLOCK]) for row in rows if CLOCK in row})
    first_of: dict[int, int] = {}
    for skew in skews:
        before = next(reversed(first_of), None)
        first_of[skew] = skew if before is None or skew - before >= _CLOCK_GAP_S else first_of[before]
    return [row | {CLOCK: f"{first_of[int(row[CLOCK])]:+} s"} if CLOCK in row else row for row in rows]


def spread(names: Sequence[str]) -> dict[str, int]:
    """How often each backend answered, the most frequent first."""
    return dict(sorted(((name, names.count(name)) for name in set(names)), key=lambda one: (-one[1], one[0])))


def _skew_s(date: str | None) -> str:
    """By how many seconds the server's clock is ahead of ours; empty where it does not say."""
    if date is None:
        return ""
    try:
        return str(round(parsedate_to_datetime(date).timestamp() - time.time()))
    except (ValueError, TypeError, OverflowError):
        return ""


def _tcp_options(stream: ProbeStream) -> str:
    """What the peer's TCP agreed to: options and its window scale; empty where the kernel does not say."""
    try:
        info = stream.transport.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        options, scales = _TCP_INFO.unpack(info)
    except (OSError, AttributeError, struct.error):
        return ""
    return f"{options & _NEGOTIATED:04b} scale {scales & 0b1111}"
