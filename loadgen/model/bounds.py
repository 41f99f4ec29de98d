"""The range that a number of the plan lies in. Beyond it nothing could run, or a digit too many was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

_MAX_SHOWN = 24  # characters of a number that is wrong


class Bounds(NamedTuple):
    """The smallest and the largest value that are possible."""

    minimum: int
    maximum: int

    def complaint(self, value: Any, write: Callable[[Any], str] = "{:,}".format) -> str:
        """What is wrong with the value, as the rest of a sentence that begins with its name; empty where nothing is.

        write: how people write such a value.
        """
        if self.minimum <= value <= self.maximum:
            return ""
        shown = write(value)
        if len(shown) > _MAX_SHOWN:
            shown = f"{shown[:_MAX_SHOWN]}…"
        if value > self.maximum:
            return f"is {shown}; it must lie between {write(self.minimum)} and {write(self.maximum)}"
        return f"is {shown}; " + (
            f"at least {write(self.minimum)} is needed" if self.minimum else "it can't be negative"
        )
