"""An option of a connection's socket (setsockopt(2)), as a value. Sets none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SocketOption:
    """What is set before a connection opens: setsockopt's three arguments."""

    level: int
    option: int
    value: int | bytes
