"""The hub's epoll: who is called back, what a turn that changes meanwhile does, and when its events were ready."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.wire import poller
from loadgen.wire.poller import NOTHING, READ, READ_SIZE, WRITE, Poller, Watch

PATIENCE_S = 10
Pair = tuple[socket.socket, socket.socket]


class FakeWatcher:
    priority = 0
    stopped = closed = False

    def start(self, callback: Any) -> None:
        self.fire = callback

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.closed = True


class FakeLoop:
    """Its polls begin and end when a test says so."""

    def __init__(self) -> None:
        self.events, self.before, self.after = FakeWatcher(), FakeWatcher(), FakeWatcher()
        self.errors: list[BaseException] = []

    def io(self, descriptor: int, events: int) -> FakeWatcher:
        return self.events

    def prepare(self, ref: bool) -> FakeWatcher:
        assert not ref
        return self.before

    def check(self, ref: bool) -> FakeWatcher:
        assert not ref
        return self.after

    def handle_error(self, _context: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        self.errors.append(error)

    def turn(self) -> None:
        """One poll that did not wait, and the handling of its events."""
        self.before.fire()
        self.after.fire()
        self.events.fire()


class TimedPoller(Poller):
    """A poller whose time stands still until a test moves it."""

    def __init__(self, loop: Any) -> None:
        self.now_ns = 1_000_000
        super().__init__(loop)

    def monotonic_ns(self) -> int:
        return self.now_ns


@pytest.fixture
def loop() -> FakeLoop:
    return FakeLoop()


@pytest.fixture
def hub(loop: FakeLoop) -> Iterator[Poller]:
    one = Poller(loop)
    yield one
    one.close()


@pytest.fixture
def pair() -> Iterator[Callable[[], Pair]]:
    """Makes pairs of connected, non-blocking sockets."""
    made: list[socket.socket] = []

    def new() -> Pair:
        ours, theirs = socket.socketpair()
        made.extend((ours, theirs))
        for one in (ours, theirs):
            one.setblocking(False)
        return ours, theirs

    yield new
    for one in made:
        one.close()


def watched(hub: Poller, sock: socket.socket, events: int, callback: Callable[[], None]) -> Watch:
    watch = Watch(hub, sock.fileno())
    watch.set(events, callback)
    return watch


def watched_by_number(hub: Poller, descriptor: int, callback: Callable[[], None]) -> Watch:
    watch = Watch(hub, descriptor)
    watch.set(READ, callback)
    return watch


# Who is called back


def test_only_what_is_ready_for_what_it_waits_for_is_called_back(
    loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]
) -> None:
    called: list[str] = []
    (reads, sends), (writes, _), (both, filled) = pair(), pair(), pair()
    watched(hub, reads, READ, lambda: called.append("reads"))
    watched(hub, writes, WRITE, lambda: called.append("writes"))
    watched(hub, both, READ | WRITE, lambda: called.append(f"both {hub.events}"))
    loop.turn()
    assert sorted(called) == [f"both {WRITE}", "writes"]
    called.clear()
    sends.send(b"x")
    filled.send(b"x")
    loop.turn()
    assert sorted(called) == [f"both {READ | WRITE}", "reads", "writes"]
    assert hub.events == NOTHING  # outside of callbacks


def test_what_is_left_unread_is_reported_again(loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]) -> None:
    ours, theirs = pair()
    read: list[bytes] = []
    watched(hub, ours, READ, lambda: read.append(ours.recv(1)))
    theirs.send(b"abc")
    for _ in range(5):
        loop.turn()
    assert read == [b"a", b"b", b"c"]


def test_a_watch_can_be_changed(loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]) -> None:
    ours, theirs = pair()
    called: list[str] = []
    watch = watched(hub, ours, READ, lambda: called.append("read"))
    theirs.send(b"x")
    watch.set(WRITE, lambda: called.append("written"))
    loop.turn()
    watch.set(WRITE, lambda: called.append("another"))  # the same events, another callback
    loop.turn()
    assert called == ["written", "another"]


def test_nothing_is_told_of_one_that_waits_for_nothing(loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]) -> None:
    """Neither of bytes nor of a hang-up, which epoll reports unasked."""
    ours, theirs = pair()
    called: list[int] = []
    watch = watched(hub, ours, READ, lambda: called.append(1))
    watch.set(NOTHING, lambda: called.append(2))
    theirs.send(b"x")
    theirs.close()
    loop.turn()
    assert called == []
    watch.set(READ, lambda: called.append(3))  # and it can wait for something again
    loop.turn()
    assert called == [3]


def test_a_hang_up_is_told_whatever_is_waited_for(loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]) -> None:
    ours, theirs = pair()
    while True:  # until there is no room, so that only the hang-up is left to report
        try:
            ours.send(bytes(65536))
        except BlockingIOError:
            break
    called: list[int] = []
    watched(hub, ours, WRITE, lambda: called.append(hub.events))
    loop.turn()
    assert called == []
    theirs.close()
    loop.turn()
    (events,) = called
    assert events != WRITE  # a transport looks for the error where there is more than room to write


# A turn that changes while it is handled


def test_what_a_callback_stops_is_not_called_back_in_the_same_turn(
    loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]
) -> None:
    """Whichever comes first forgets the other, as a slot closes another connection."""
    called: list[str] = []
    sockets = {name: pair() for name in ("a", "b")}
    watches = {}

    def stop_other(name: str) -> None:
        called.append(name)
        other = "b" if name == "a" else "a"
        watches[other].forget()
        sockets[other][0].close()

    for name, (ours, theirs) in sockets.items():
        watches[name] = watched(hub, ours, READ, lambda name=name: stop_other(name))  # type: ignore[misc] # bound here
        theirs.send(b"x")
    loop.turn()
    assert len(called) == 1
    loop.turn()
    assert called == [called[0]] * 2


@pytest.mark.parametrize("first", [0, 1], ids=["the one found first", "the one found last"])
def test_events_of_a_descriptor_that_was_closed_are_not_its_successors(
    loop: FakeLoop, hub: Poller, pair: Callable[[], Pair], first: int
) -> None:
    """A callback closes another connection and opens a new one, which gets the same descriptor."""
    called: list[str] = []
    pairs = [pair(), pair()]
    spare, feeds_spare = pair()
    watches: list[Watch] = []

    def read(number: int) -> None:
        ours, _ = pairs[number]
        ours.recv(1)
        called.append(f"old {number}")
        if number == first and len(watches) == 2:
            other = pairs[1 - number][0].fileno()
            watches[1 - number].forget()
            os.dup2(spare.fileno(), other)  # closes the old one: the number is the successor's, which has got no byte
            watches.append(watched_by_number(hub, other, lambda: called.append("successor")))

    for number, (ours, theirs) in enumerate(pairs):
        watches.append(watched(hub, ours, READ, lambda number=number: read(number)))  # type: ignore[misc] # bound here
        theirs.send(b"xx")
    loop.turn()
    # epoll tells of both at once, and which one comes first is its own affair.
    assert called in ([f"old {first}"], [f"old {1 - first}", f"old {first}"])
    feeds_spare.send(b"x")
    called.clear()
    loop.turn()
    assert sorted(called) == [f"old {first}", "successor"]


def test_others_are_called_back_in_the_next_turn_when_a_callback_raises(
    loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]
) -> None:
    called: list[int] = []

    def take(number: int, sock: socket.socket) -> None:
        sock.recv(1)
        called.append(number)
        raise OSError(28, "No space left on device")

    for number in range(3):
        ours, theirs = pair()
        watched(hub, ours, READ, lambda number=number, ours=ours: take(number, ours))  # type: ignore[misc] # bound here
        theirs.send(b"x")
    for _ in range(3):
        with suppress(OSError):  # gevent's loop hands it to the hub
            loop.turn()
        assert hub.events == NOTHING
    assert sorted(called) == [0, 1, 2]
    loop.turn()
    assert len(called) == 3


def test_more_than_one_turn_takes_is_left_for_the_next(loop: FakeLoop, hub: Poller, pair: Callable[[], Pair]) -> None:
    """Timers of the loop have their turn between."""
    counts: list[int] = []
    ready: set[int] = set()
    for number in range(150):
        ours, _ = pair()
        watched(hub, ours, WRITE, lambda number=number: ready.add(number))  # type: ignore[misc] # bound here
    for _ in range(4):
        loop.turn()
        counts.append(len(ready))
    assert counts[0] == 128
    assert counts[-1] == 150


def test_a_descriptor_that_cannot_be_watched_is_an_error(hub: Poller, tmp_path: Any) -> None:
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError):
        Watch(hub, file.fileno()).set(READ, lambda: None)


def test_forgetting_twice_or_unwatched_is_safe(hub: Poller, pair: Callable[[], Pair]) -> None:
    ours, _ = pair()
    watch = Watch(hub, ours.fileno())
    watch.set(READ, lambda: None)
    watch.forget()
    watch.forget()
    assert watch.events == NOTHING
    Watch(hub, ours.fileno()).forget()


# When the present events may have become ready


def poll(loop: FakeLoop, hub: TimedPoller, lasts_ns: int) -> int:
    """One poll; gives when it returned."""
    loop.before.fire()
    hub.now_ns += lasts_ns
    loop.after.fire()
    return hub.now_ns


@pytest.fixture
def timed(loop: FakeLoop) -> Iterator[TimedPoller]:
    one = TimedPoller(loop)
    yield one
    one.close()


def test_events_of_a_poll_that_waited_were_ready_as_it_returned(loop: FakeLoop, timed: TimedPoller) -> None:
    assert timed.ready_ns == timed.polled_ns == timed.now_ns
    timed.now_ns += 300_000
    assert timed.ready_ns == 1_000_000
    returned_ns = poll(loop, timed, lasts_ns=50_000)
    assert (timed.ready_ns, timed.polled_ns) == (returned_ns, returned_ns)


def test_events_of_a_poll_that_did_not_wait_may_have_been_ready_since_the_one_before(
    loop: FakeLoop, timed: TimedPoller
) -> None:
    before_ns = poll(loop, timed, lasts_ns=50_000)
    timed.now_ns += 400_000  # handling that poll's events
    second_ns = poll(loop, timed, lasts_ns=1_000)
    assert (timed.ready_ns, timed.polled_ns) == (before_ns, second_ns)
    timed.now_ns += 400_000
    third_ns = poll(loop, timed, lasts_ns=1_000)
    assert (timed.ready_ns, timed.polled_ns) == (second_ns, third_ns)


def test_its_stamp_comes_before_other_callbacks_and_the_loop_is_left_as_it_was(loop: FakeLoop) -> None:
    one = Poller(loop)
    assert loop.after.priority == 2
    one.close()
    assert all(watcher.stopped and watcher.closed for watcher in (loop.events, loop.before, loop.after))


# On gevent's own loop


def test_one_hub_has_one_poller(pair: Callable[[], Pair]) -> None:
    assert poller.of_hub() is poller.of_hub()
    assert len(poller.of_hub().buffer) == READ_SIZE
    found = gevent.get_hub().threadpool.apply(poller.of_hub)  # a thread of its own has a hub of its own
    assert found is not poller.of_hub()


def test_the_loop_calls_back_and_the_stamps_are_the_times_of_its_poll(pair: Callable[[], Pair]) -> None:
    hub, (ours, theirs) = poller.of_hub(), pair()
    heard = Event()
    stamps: list[int] = []

    def hear() -> None:
        stamps.extend((hub.ready_ns, hub.polled_ns, time.monotonic_ns()))
        watch.forget()
        heard.set()

    watch = watched(hub, ours, READ, hear)
    begun_ns = time.monotonic_ns()
    gevent.spawn_later(0.01, theirs.send, b"x")
    assert heard.wait(PATIENCE_S)
    ready_ns, polled_ns, handled_ns = stamps
    assert ready_ns <= polled_ns <= handled_ns
    assert begun_ns < polled_ns


def test_a_callback_that_raises_on_the_loop_is_the_hubs_error(
    pair: Callable[[], Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = poller.of_hub()
    errors: list[BaseException] = []
    monkeypatch.setattr(gevent.get_hub(), "handle_error", lambda _context, _kind, error, _trace: errors.append(error))
    heard = Event()
    (broken, makes_break), (fine, makes_fine) = pair(), pair()

    def fail() -> None:
        broken.recv(1)
        raise OSError(28, "No space left on device")

    def hear() -> None:
        fine.recv(1)
        if errors:
            heard.set()

    watches = [watched(hub, broken, READ, fail), watched(hub, fine, READ, hear)]
    makes_break.send(b"x")
    makes_fine.send(b"xx")
    assert heard.wait(PATIENCE_S)
    assert [type(error) for error in errors] == [OSError]
    for watch in watches:
        watch.forget()


FORK = """
import os, socket, threading, gevent
from loadgen.wire import poller

def leave_a_hub():
    poller.of_hub()
    gevent.get_hub().destroy(destroy_loop=True)

thread = threading.Thread(target=leave_a_hub)
hub = poller.of_hub()
thread.start()
thread.join()
ours, theirs = socket.socketpair()
ours.setblocking(False)
watch = poller.Watch(hub, ours.fileno())
watch.set(poller.READ, lambda: print("parent", ours.recv(9), flush=True))
child = os.fork()
if not child:
    gevent.reinit()
    fresh = poller.of_hub()
    other = poller.Watch(fresh, theirs.fileno())
    other.set(poller.WRITE, lambda: (print("child", fresh is not hub, flush=True), theirs.send(b"x"), os._exit(0)))
    gevent.sleep(10)
    os._exit(1)
os.waitpid(child, 0)
gevent.sleep(0.01)
"""


def test_a_child_does_not_watch_what_its_parent_watches() -> None:
    """An epoll instance is shared over a fork. Also where a thread is gone whose hub had a poller.

    In a process of its own, which has no other thread: forking one that has some is deprecated.
    """
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (["child True", "parent b'x'"], "", 0)


def test_a_watch_that_was_forgotten_is_set_no_more(pair: Callable[[], Pair]) -> None:
    ours, _theirs = pair()
    watch = Watch(poller.of_hub(), ours.fileno())
    watch.set(READ, lambda: None)
    watch.forget()
    with pytest.raises(OSError, match="Bad file descriptor"):
        watch.set(READ, lambda: None)


def test_a_hub_that_is_gone_keeps_no_descriptor() -> None:
    def run() -> None:
        poller.of_hub()
        gevent.get_hub().destroy(destroy_loop=True)

    def once() -> int:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        poller.of_hub()
        return len(list(Path("/proc/self/fd").iterdir()))

    poller.of_hub()
    once()
    counts = [once() for _ in range(5)]
    assert counts[-1] <= counts[0] + 1, counts  # the last hub's is closed when another poller is made
