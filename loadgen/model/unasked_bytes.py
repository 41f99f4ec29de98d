"""Counts of bytes that no request asked for: after a response, and no response of their own. Reads no connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # see loadgen.model.plan
    from loadgen.model.policy_summary import UnaskedBytes

_MAX_SHOWN_BYTES = 20


class UnaskedCounts:
    """Counts of one block."""

    __slots__ = ("_connections", "_example")

    def __init__(self) -> None:
        self._connections = 0
        self._example = ""

    def note(self, status: int, data: bytes) -> None:
        """A connection ended because these bytes, at least one, came after a response with this status."""
        self._connections += 1
        if not self._example:
            size = f"{len(data):,} byte{'' if len(data) == 1 else 's'}"
            self._example = f"{size} after a {status}: {data[:_MAX_SHOWN_BYTES]!r}"

    def take(self) -> UnaskedBytes:
        """The counts since the last call, as JSON values."""
        found: UnaskedBytes = {"connections": self._connections, "example": self._example}
        self._connections, self._example = 0, ""
        return found


def add_unasked(counted: Iterable[UnaskedBytes | None]) -> UnaskedBytes:
    """The sum of several counts, with the first example."""
    found = [one for one in counted if one]
    return {
        "connections": sum(one["connections"] for one in found),
        "example": next((one["example"] for one in found if one["example"]), ""),
    }
