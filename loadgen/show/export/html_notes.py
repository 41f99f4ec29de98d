"""The notes below the page's tables: how to read each."""

from __future__ import annotations

from loadgen.model.summary import Summary

_INTERVALS = (
    "In brackets: 95 % intervals from the spread between rounds. Residual: what the candidate costs beyond its "
    "measured handshake."
)
_BETWEEN_PROTOCOLS = " Between two protocols the residual is also what each exchange costs in one and in the other."
_UPGRADES = (
    "In WebSocket a request is a message and its answer, in HTTP/2 a stream. An upgrade is what a connection pays "
    "once, on top of TCP and TLS. The upgrade to h2c carries the first request; HTTP/2 by ALPN or prior knowledge "
    "needs no upgrade, and in clear, where there is no ALPN, h2 means prior knowledge. Declined: the connection "
    "went on in HTTP/1.1. One exchange: median of send + wait + receive on connections that had served a request "
    "before. Connections include those of the warm-up. Framing is the generator's own work: it counts in send, and "
    "in CPU per request."
)
_EMBEDDED_TARGET = (
    " The embedded target frames HTTP/2 and WebSocket in Python: what an exchange costs there says little about other "
    "servers."
)
_CURVE = (
    "Mean latency of a request against K requests per connection, fitted as exchange + handshake / K. The K of 90 % is "
    "read off the measured curve; by the model it follows from the smallest and the largest K alone."
)
_SOCKETS = (
    "The kernel counts for the whole network namespace, so sockets of other programs are included. TCP's own figures "
    "are of a share of the connections. Added: sockets in TIME_WAIT that one block left, by the side that holds them."
)

_FIRST_ORIGIN = " Added sockets and ports left are those of the first origin, {}, alone; the rest is of all origins."


def curve_note(_summary: Summary) -> str:
    return _CURVE


def differences_note(summary: Summary) -> str:
    """Between two protocols a difference has more than one cause."""
    protocols = {one["protocol"] for one in summary["policies"].values()}
    return _INTERVALS + (_BETWEEN_PROTOCOLS if len(protocols) > 1 else "")


def upgrades_note(summary: Summary) -> str:
    """The embedded target's share of an exchange is not that of other servers."""
    return _UPGRADES + (_EMBEDDED_TARGET if "embedded_target" in summary["environment"] else "")


def sockets_note(summary: Summary) -> str:
    """Of several origins the sockets of one are looked for."""
    first = next((found[0]["origin"] for one in summary["policies"].values() if (found := one.get("by_origin"))), "")
    return _SOCKETS + (_FIRST_ORIGIN.format(first) if first else "")
