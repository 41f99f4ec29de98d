"""Readiness of descriptors: one epoll instance for each hub, watched by gevent's loop as a single descriptor.

gevent's own watchers cost a Python callback with its surroundings, and extra system calls, for each event; here all
events of a turn cost one. It is level-triggered: what a callback leaves unread is reported again (epoll(7)). It is also
the hub's PhaseClock, for it alone knows when the loop polled. Knows no socket and no HTTP.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from errno import EBADF
from typing import Any

import gevent
from gevent.monkey import get_original

from loadgen.wire.clock import PhaseClock
from loadgen.wire.syscalls import MAX_EVENTS, ReadyList, control, os_error
from loadgen.wire.timers import ExactTimer, TimerQueue

NOTHING, READ, WRITE = 0, 1, 4  # EPOLLIN and EPOLLOUT
"""What to watch for. Errors and hang-ups are reported with either of the two."""
READ_SIZE = 64 * 1024

COMPILED = not __file__.endswith(".py")
_ADD, _REMOVE, _MODIFY = 1, 2, 3  # EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
_Epoll: Any = get_original("select", "epoll")
_LIBEV_READ = 1
_FAILED = 0x8 | 0x10  # EPOLLERR and EPOLLHUP
# A poll that came back faster than this found its events waiting.
_NO_WAIT_NS = 5_000


class Watch:
    """One descriptor, and whom to call when it is ready."""

    __slots__ = ("_poller", "_turn", "callback", "descriptor", "events")

    def __init__(self, poller: Poller, descriptor: int) -> None:
        self._poller = poller
        # The poller's turn in which it was begun: events that were found before that are of another descriptor.
        self._turn = 0
        self.descriptor = descriptor
        self.events = NOTHING
        self.callback: Any = None

    def set(self, events: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor is ready for `events`; replaces what was set before.

        Raises OSError once it is forgotten: the number may be another descriptor's by now.
        """
        if self.descriptor < 0:
            raise os_error(EBADF)
        self.callback = callback
        before = self.events
        if events != before:
            self.events = events
            self._poller.change(self, before)

    def forget(self) -> None:
        """Call back no more. The descriptor must be closed right after this, which ends the kernel's watch."""
        if self.events:
            self.events = NOTHING
            self._poller.forget(self)
        self.descriptor = -1
        self.callback = None


class Poller(PhaseClock):
    """The descriptors that one hub watches. `of_hub` gives it."""

    __slots__ = (
        "_after", "_before", "_descriptor", "_epoll", "_loop", "_poll_begun_ns", "_ready", "_timers", "_turn",
        "_watcher", "_watches", "buffer", "events",
    )  # fmt: skip

    def __init__(self, loop: Any) -> None:
        super().__init__()
        self.buffer = bytearray(READ_SIZE)
        """Where transports put what they read; it is kept until the next one reads."""
        self.events = NOTHING
        """The events of the descriptor whose callback is running; NOTHING outside of callbacks."""
        self._epoll = _Epoll()
        self._descriptor: int = self._epoll.fileno()
        self._ready = ReadyList(self._descriptor)
        self._watches: dict[int, Watch] = {}
        self._turn = 0
        self._loop = loop
        self._timers = TimerQueue(loop)
        self.ready_ns = self.polled_ns = self._poll_begun_ns = self.monotonic_ns()
        self._watcher = loop.io(self._descriptor, _LIBEV_READ)
        self._before = loop.prepare(ref=False)
        self._after = loop.check(ref=False)
        # Highest priority: the stamp comes before any other callback of the same poll.
        self._after.priority = 2
        self._watcher.start(self._dispatch)
        self._before.start(self._stamp_before)
        self._after.start(self._stamp_after)

    def timer(self, callback: Callable[[], None]) -> ExactTimer:
        return self._timers.timer(callback)

    def change(self, watch: Watch, before: int) -> None:
        """A watch's events are other ones than `before`. Raises OSError."""
        descriptor = watch.descriptor
        if not before:
            watch._turn = self._turn
            self._watches[descriptor] = watch
            self._control(_ADD, descriptor, watch.events)
        elif watch.events:
            self._control(_MODIFY, descriptor, watch.events)
        else:
            # Not with an empty mask: a hang-up would be reported all the same, again and again.
            del self._watches[descriptor]
            self._control(_REMOVE, descriptor, NOTHING)

    def forget(self, watch: Watch) -> None:
        """See Watch.forget."""
        del self._watches[watch.descriptor]

    def close(self) -> None:
        """Leave the loop as it was found; nobody is called back any more."""
        with suppress(ValueError):  # the loop is gone, and its watchers with it
            for watcher in (self._watcher, self._before, self._after):
                watcher.stop()
                watcher.close()
        self._timers.close()
        self._descriptor = -1
        self._epoll.close()

    # Inside

    def _control(self, operation: int, descriptor: int, events: int) -> None:
        if COMPILED:
            code = control(self._descriptor, operation, descriptor, events)
            if code < 0:
                raise os_error(-code)
        elif operation == _ADD:
            self._epoll.register(descriptor, events)
        elif operation == _MODIFY:
            self._epoll.modify(descriptor, events)
        else:
            self._epoll.unregister(descriptor)

    def _dispatch(self) -> None:
        """Call back for what is ready. What a callback raises goes to the hub, and the next one is called."""
        ready = self._ready
        found: Any = None
        if COMPILED:
            count = ready.poll()
        else:
            found = self._epoll.poll(0, MAX_EVENTS)
            count = len(found)
        self._turn += 1
        turn = self._turn
        for index in range(count):
            if COMPILED:
                descriptor, events = ready.descriptor(index), ready.events(index)
            else:
                descriptor, events = found[index]
            watch = self._watches.get(descriptor)
            # A callback before this one may have closed it, watched another of the same number, or changed its events.
            if watch is None or watch._turn == turn or not events & (watch.events | _FAILED):
                continue
            self.events = events
            try:
                watch.callback()
            except BaseException:
                # As gevent does with a watcher of its own: it stops, and the hub hears of the error. Only this one is
                # to stop, and not the watcher that is everybody's.
                if watch.events:
                    watch.set(NOTHING, watch.callback)
                self._loop.handle_error(watch, *sys.exc_info())
            self.events = NOTHING

    def _stamp_before(self) -> None:
        self._poll_begun_ns = self.monotonic_ns()

    def _stamp_after(self) -> None:
        now = self.monotonic_ns()
        # As the poll returned, if it had to wait. If it did not, events may have become ready at any time since the
        # poll before, so the lag computed from this is an upper bound.
        self.ready_ns = now if now - self._poll_begun_ns > _NO_WAIT_NS else self.polled_ns
        self.polled_ns = now


_pollers: dict[Any, Poller] = {}


def of_hub() -> Poller:
    """The poller of this thread's hub."""
    hub = gevent.get_hub()
    poller = _pollers.get(hub)
    if poller is None:
        for gone in [known for known in _pollers if getattr(known, "loop", None) is None]:  # its hub was destroyed
            _pollers.pop(gone).close()
        poller = _pollers[hub] = Poller(hub.loop)
    return poller


def _forget_all() -> None:
    """After a fork the epoll instances are the parent's too, with all that they watch."""
    pollers = list(_pollers.values())
    _pollers.clear()
    for poller in pollers:
        poller.close()


os.register_at_fork(after_in_child=_forget_all)
