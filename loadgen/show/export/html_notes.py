"""The notes below the page's tables: how to read each."""

from __future__ import annotations

from loadgen.model.summary import Summary

_INTERVALS = (
    "In brackets: 95 % intervals from resampling whole rounds. Residual: what the candidate costs beyond its measured "
    "handshake."
)
_BETWEEN_PROTOCOLS = " Between two protocols the residual is also what each exchange costs in the one and in the other."
_UPGRADES = (
    "In WebSocket a request is a message with its answer, in HTTP/2 a stream. An upgrade is what a connection pays "
    "once, beside TCP and TLS. The one to h2c takes the first request along; HTTP/2 by ALPN or prior knowledge needs "
    "none, and in clear, where there is no ALPN, h2 is prior knowledge too. Declined: the connection went on in "
    "HTTP/1.1. One exchange: median of send + wait + receive on connections in use. Connections are those of the "
    "warm-up too. Framing is the generator's own work: it is in send, and in CPU per request."
)
_EMBEDDED_TARGET = (
    " The embedded target frames HTTP/2 and WebSocket in Python: what an exchange costs with it says little of others."
)
_CURVE = (
    "A request's mean latency against K requests per connection, fitted as exchange + handshake / K. The K of 90 % is "
    "read off what was measured; by the model it follows from the smallest and largest K alone."
)
_SOCKETS = (
    "The kernel's counters are those of the whole network namespace: other programmes' sockets are in them. TCP's own "
    "are of a share of the connections. Added: sockets in TIME_WAIT that one block left, by the side that holds them."
)


def curve_note(_summary: Summary) -> str:
    return _CURVE


def differences_note(summary: Summary) -> str:
    """Between two protocols a difference has more than one cause."""
    protocols = {one["protocol"] for one in summary["policies"].values()}
    return _INTERVALS + (_BETWEEN_PROTOCOLS if len(protocols) > 1 else "")


def upgrades_note(summary: Summary) -> str:
    """The embedded target's share of an exchange is not that of other servers."""
    return _UPGRADES + (_EMBEDDED_TARGET if "embedded_target" in summary["environment"] else "")


def sockets_note(_summary: Summary) -> str:
    return _SOCKETS
