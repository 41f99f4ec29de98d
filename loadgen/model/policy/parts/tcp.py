"""`tcp-fastopen`, `tcp-nagle` and others: options of TCP, as parts, to compare a socket with one and without.

Linux has them all (tcp(7), socket(7)); the kernel of the machine may refuse one.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import Any

from loadgen.model.policy.part import Part, RunConditions, Trait, duration_ns, whole_number
from loadgen.model.policy.policy import ConnectionPolicy
from loadgen.model.policy.socket_option import SocketOption
from loadgen.model.units import NS_PER_S

_TCP_FASTOPEN_CONNECT = 30  # linux/tcp.h; the socket module does not name it
_FAST_OPEN = SocketOption(socket.IPPROTO_TCP, _TCP_FASTOPEN_CONNECT, 1)
_NAGLE = SocketOption(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
_MAX_BYTES = 1 << 30
_MAX_KEEPALIVE_S = 32_767  # tcp(7)
_ALGORITHM = re.compile(r"[a-z0-9_-]{1,15}", re.ASCII)  # TCP_CA_NAME_MAX


def options(*found: tuple[int, int, int | bytes]) -> dict[str, Any]:
    """The field of the policy that these options add to."""
    return {"socket_options": tuple(SocketOption(*one) for one in found)}


def algorithms(policy: ConnectionPolicy) -> list[str]:
    """The congestion control that the policy asks for, if any."""
    return [
        one.value.decode("ascii")
        for one in policy.socket_options
        if (one.level, one.option) == (socket.IPPROTO_TCP, socket.TCP_CONGESTION) and isinstance(one.value, bytes)
    ]


def opens_fast(policy: ConnectionPolicy) -> bool:
    """The policy asks for TCP Fast Open."""
    return _FAST_OPEN in policy.socket_options


def holds_back(policy: ConnectionPolicy) -> bool:
    """The client's sockets have Nagle's algorithm."""
    return _NAGLE in policy.socket_options


def _parse_linger(text: str) -> dict[str, Any]:
    if text != "0":
        raise ValueError(f"{text[:20]!r} is not 0: a client that waits for its last bytes would hold up all others")
    return options((socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)))


def _parse_receive_buffer(text: str) -> dict[str, Any]:
    return options((socket.SOL_SOCKET, socket.SO_RCVBUF, whole_number(text, _MAX_BYTES)))


def _parse_keepalive(text: str) -> dict[str, Any]:
    seconds, rest = divmod(duration_ns(text), NS_PER_S)
    if rest or not 1 <= seconds <= _MAX_KEEPALIVE_S:
        raise ValueError(f"{text[:20]!r} is not a whole number of seconds from 1 to {_MAX_KEEPALIVE_S:,}")
    return options(
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds),
    )


def _parse_congestion(text: str) -> dict[str, Any]:
    if not _ALGORITHM.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is no name of a congestion control, such as cubic or bbr")
    return options((socket.IPPROTO_TCP, socket.TCP_CONGESTION, text.encode("ascii")))


def _objects(conditions: RunConditions) -> str | None:
    if conditions.peer.startswith(("/", "@")):
        return f"sets an option of TCP, and connections go to the socket file {conditions.peer}"
    return None


def _objects_fast(conditions: RunConditions) -> str | None:
    if conditions.races:
        return (
            "opens a connection without waiting for the server, so that --happy-eyeballs has no race; give one of them"
        )
    return None


_TCP = Trait("an option of TCP", lambda policy: bool(policy.socket_options), objects=_objects)
_FAST = Trait("TCP Fast Open", opens_fast, objects=_objects_fast)
PARTS = {
    "tcp-fastopen": Part(
        "the first bytes go with the SYN, once a connection has got the server's cookie (TCP Fast Open, RFC 7413)",
        {"socket_options": (_FAST_OPEN,)}, example="close+tcp-fastopen", trait=_FAST,
        synonyms=("tfo", "fastopen"),
    ),
    "tcp-nagle": Part(
        "small writes wait while earlier bytes are unacknowledged (Nagle, RFC 896); others have TCP_NODELAY",
        {"socket_options": (_NAGLE,)}, example="pipeline:3+tcp-nagle", trait=_TCP,
        synonyms=("nagle", "delay", "notcpnodelay", "nonodelay"),
    ),
    "tcp-linger": Part(
        "the client closes by RST, which leaves no port in TIME_WAIT (SO_LINGER of 0)",
        parameter="0", example="close+tcp-linger:0", parse=_parse_linger, trait=_TCP,
        synonyms=("linger", "rst", "reset", "solinger"),
    ),
    "tcp-rcvbuf": Part(
        "the receive buffer has BYTES, which bounds the window that the server may fill (SO_RCVBUF)",
        parameter="BYTES", example="persistent+tcp-rcvbuf:65536", parse=_parse_receive_buffer, trait=_TCP,
        synonyms=("rcvbuf", "receivebuffer", "sorcvbuf"),
    ),
    "tcp-keepalive": Part(
        "the kernel probes a connection that was silent for T, in seconds, and each T after that (SO_KEEPALIVE)",
        parameter="T", example="persistent+tcp-keepalive:30s", parse=_parse_keepalive, trait=_TCP,
        synonyms=("sokeepalive", "keepalivetime", "tcpkeepaliveinterval"),
    ),
    "tcp-congestion": Part(
        "the client's congestion control is NAME, as `cubic` or `bbr` (TCP_CONGESTION)",
        parameter="NAME", example="persistent+tcp-congestion:reno", parse=_parse_congestion, trait=_TCP,
        synonyms=("congestion", "congestioncontrol"),
    ),
}  # fmt: skip
