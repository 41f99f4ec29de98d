"""How a response says that it is the last one of its connection (RFC 9112 §9.3). Knows no probe."""

from __future__ import annotations

from enum import Enum

from loadgen.wire.http1.head import UNTIL_CLOSE, ResponseHead


class Announcement(Enum):
    """Each with the clause that follows `closed, `, and with what it is called by itself."""

    CLOSE = "as announced", "Connection: close with the last response"
    HTTP10 = "as HTTP/1.0 does", "HTTP/1.0 without keep-alive"
    NO_LENGTH = "which ends a response without a length", "a response without a length"
    FAULTY = "as its framing is faulty", "a response whose framing is faulty"

    def __init__(self, clause: str, title: str) -> None:
        self.clause = clause
        self.title = title


def announcement(head: ResponseHead) -> Announcement | None:
    """What its head says of the end; None where the connection stays open."""
    if head.persists:
        return None
    if b"close" in head.options:
        return Announcement.CLOSE
    if head.version == "1.0" and b"keep-alive" not in head.options:
        return Announcement.HTTP10
    return Announcement.NO_LENGTH if head.framing == UNTIL_CLOSE and not head.is_distrusted else Announcement.FAULTY
