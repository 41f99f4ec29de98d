"""The time between two requests of a user. Knows nothing of either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent


class OneShotTimer:
    """Calls back once after each time that is begun, unless it is cancelled first."""

    __slots__ = ("_callback", "_timer")

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._timer: Any = None

    def begin(self, seconds: float) -> None:
        """Call back after `seconds`; none may be under way."""
        timer = self._timer = gevent.get_hub().loop.timer(seconds)
        timer.start(self._end)

    def cancel(self) -> None:
        """Call back no more; safe to call when none is under way."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _end(self) -> None:
        self.cancel()
        self._callback()
