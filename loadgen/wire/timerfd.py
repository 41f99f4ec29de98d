"""Wakes a gevent loop at an exact time. libev's own timers round to a millisecond, which would bunch requests.

It is a timerfd (timerfd_create(2)), watched like any descriptor; Python names these calls only from 3.13 on.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from loadgen.model.units import NS_PER_S

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_LIBEV_READ = 1
_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class TimerSetting(ctypes.Structure):
    """What timerfd_settime(2) takes; made once and filled again for each time."""

    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def open_timer() -> int:
    """A descriptor that is readable once its time has come. Raises OSError."""
    descriptor: int = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create failed")
    return descriptor


def set_timer(descriptor: int, at_ns: int, setting: TimerSetting) -> None:
    """Have it be readable at `at_ns` of the monotonic clock. Raises OSError."""
    value = setting.value
    value.seconds, value.nanoseconds = divmod(max(at_ns, 1), NS_PER_S)
    if _libc.timerfd_settime(descriptor, _ABSOLUTE, ctypes.byref(setting), None):
        raise OSError(ctypes.get_errno(), "timerfd_settime failed")


class TimerFd:
    """Calls back once at each time that is set; a new one replaces the one before. Raises OSError."""

    def __init__(self, loop: Any, callback: Callable[[], None]) -> None:
        self._fd = open_timer()
        self._callback = callback
        self._setting = TimerSetting()
        self._watcher = loop.io(self._fd, _LIBEV_READ)
        self._watcher.start(self._on_expiry)

    def set(self, at_ns: int) -> None:
        """Call back at `at_ns` of the monotonic clock; at once where that has passed."""
        set_timer(self._fd, at_ns, self._setting)

    def close(self) -> None:
        """Do not call back any more; safe to call twice."""
        if self._fd >= 0:
            with suppress(ValueError):  # the loop is gone, and its watcher with it
                self._watcher.stop()
                self._watcher.close()
            os.close(self._fd)
            self._fd = -1

    def _on_expiry(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._callback()
