"""What a signal does to a command that runs: it ends in order, with one line and its own exit code. Knows no command.

The workers' pool has the signals while the load runs (worker_pool.py); everywhere else they raise Interruption.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from loadgen.startup import ENDING_SIGNALS, EXIT_INTERRUPTED, end_at_once, is_ignored, what_ended

SignalHandler = Callable[[int, FrameType | None], Any]


class Interruption(SystemExit):
    """A signal ended the command. Only the command itself catches it, as it would a SystemExit."""

    def __init__(self, number: int = signal.SIGINT, saved: Path | None = None) -> None:
        super().__init__(EXIT_INTERRUPTED)
        self.number = number
        self.saved = saved
        """The folder of a run that had measured something."""

    def __str__(self) -> str:
        what = what_ended(self.number)
        return what if self.saved is None else f"{what}; loadgen report {self.saved} shows what had been measured"


@contextmanager
def raised() -> Iterator[None]:
    """The first signal raises Interruption; another one ends the process at once, whatever hangs."""

    def handle(number: int, _frame: FrameType | None) -> None:
        _install(end_at_once)
        raise Interruption(number)

    with kept():
        _install(handle)
        yield


@contextmanager
def noted(interrupt: Callable[[], None]) -> Iterator[list[int]]:
    """The first signal calls `interrupt`; another one ends the process at once. Gives the numbers of those noted."""
    numbers: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        _install(end_at_once)
        numbers.append(number)
        interrupt()

    with kept():
        _install(handle)
        yield numbers


@contextmanager
def kept(stays_ignored: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Give the signals back at the end to whom they belong now, or ignore them if `stays_ignored` says so then.

    Does nothing outside the main thread, where Python sets no signal handler.
    """
    if not _may_handle():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        is_over = stays_ignored()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if is_over else handler)


@contextmanager
def handled(handler: SignalHandler, stays_ignored: Callable[[], bool]) -> Iterator[None]:
    """`handler` gets the signals; at the end see `kept`."""
    with kept(stays_ignored):
        _install(handler)
        yield


def _install(handler: SignalHandler | signal.Handlers) -> None:
    if _may_handle():
        for number in ENDING_SIGNALS:
            if not is_ignored(number):
                signal.signal(number, handler)


def _may_handle() -> bool:
    return threading.current_thread() is threading.main_thread()
