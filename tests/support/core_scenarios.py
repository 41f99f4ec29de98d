"""Scripted loads over fake transports, the same in each process: what a core makes of them is printed as JSON.

    LOADGEN_PURE=1 python -m tests.support.core_scenarios

A seed decides what the server does and when; the clock moves at each look. So two cores print the same only if they
take the same steps, look at the clock at the same moments, and write the same rows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from loadgen import core
from loadgen.drive.connection_manager import ConnectionManager
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.drive.slots.pool import Pool, PooledUser
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import ABSENT
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.wire.connection import Connection
from loadgen.wire.transport import NOTHING, WOULD_BLOCK, Step
from tests.support.connections import TIMEOUT
from tests.support.fake_network import BYE, HELLO, FakeClock, FakeRoute, FakeSink, FakeTransport, requests

POLICIES = (
    "persistent", "close", "recycle:3", "recycle:3+abandon", "gap:5ms", "lifetime:40ms", "ignore-close",
    "close-resume", "pipeline:3", "pipeline:3+recycle:5", "pool:2", "pool:3:fifo", "pool:2+close", "recycle:inf",
)  # fmt: skip
SAME_CHANCE = {"recycle:inf": "persistent"}
"""A policy to which the same happens as to another: two names of one policy."""
STEPS = 600
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\nX: y\r\n\r\n"
COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\nKeep-Alive: timeout=5, max=9\r\n\r\nhello"
RESPONSES = (
    HELLO, HELLO, HELLO, HELLO, BYE, CHUNKED, COOKIE,
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + HELLO,
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    TIMEOUT,
    b"HTTP/1.1 200 OK\r\n\r\nuntil the close",
)  # fmt: skip


class MovingClock(FakeClock):
    """Moves on by itself at each look, by another step each time."""

    def __init__(self) -> None:
        self.looks = 0
        super().__init__()

    def monotonic_ns(self) -> int:
        self.looks += 1
        self.now_ns += 7 + self.looks % 13
        return self.now_ns

    def poll(self, random: Random) -> None:
        """The loop's poll returned some time ago, and events may have been ready before it."""
        self.now_ns += random.randrange(50_000)
        self.ready_ns = self.now_ns - random.randrange(2_000)
        self.polled_ns = self.now_ns
        self.now_ns += random.randrange(3_000)


class ScriptedTransport(FakeTransport):
    """What the kernel and the server do with it is drawn from one source of chance."""

    random: Random
    has_tls = False
    resumed = False

    def __init__(self, clock: Any, session: Any = None) -> None:
        super().__init__(clock, session)
        self.watched = NOTHING
        self._rest = b""
        self._is_broken = False
        self._steps = [Step.BEGIN_TLS, Step.WANT_READ, Step.OPEN] if self.has_tls else [Step.OPEN]

    def connect(self, address: Any, callback: Callable[[], None]) -> int:
        if self.random.random() < 0.02:
            raise OSError(101, "Network is unreachable")
        self.watched = 4
        return super().connect(address, callback)

    def establish(self) -> Step:
        if self.refused or self.random.random() < 0.02:
            raise ConnectionRefusedError(111, "Connection refused")
        return self._steps.pop(0)

    def send(self, data: bytes | memoryview) -> int:
        chance = self.random.random()
        if chance < (0.2 if self.requests and self.watched == 5 else 0.02):  # the rest of a request fails more often
            self._is_broken = True
            raise BrokenPipeError(32, "Broken pipe")
        if chance < 0.06:
            return WOULD_BLOCK
        return super().send(data[: len(data) // 2] if chance < 0.12 and len(data) > 1 else data)

    def watch(self, event: int, callback: Callable[[], None]) -> None:
        self.watched = event
        super().watch(event, callback)

    def first_rtt_ns(self) -> int:
        return self.random.choice((ABSENT, 0, 1_000, 3_000))

    def arrival_ns(self) -> int:
        return self.random.choice((ABSENT, self._clock.polled_ns - 500))

    def play(self) -> None:
        """The kernel has one event for it."""
        random = self.random
        if self._is_broken:
            random.choice((self.end, self.reset, lambda: self.answer_and_close(random.choice(RESPONSES))))()
            return
        if not self.requests:
            (self.refuse if random.random() < 0.04 else self.open)()
            return
        chance = random.random()
        response = self._rest or random.choice(RESPONSES)
        self._rest = b""
        if chance < 0.6:
            self.answer(response)
        elif chance < 0.75:
            cut = random.randrange(1, len(response)) if len(response) > 1 else 1
            self._rest = response[cut:]
            self.answer(response[:cut])
        elif chance < 0.80:
            self.answer(response + random.choice(RESPONSES))
        elif chance < 0.85:
            self.answer_and_close(response)
        elif chance < 0.88:
            self.end()
        elif chance < 0.91:
            self.reset()
        elif chance < 0.93:
            self.answer(b"garbage\r\n\r\n")
        else:  # it only woke up, or has room to send again
            self.open()


class TlsTransport(ScriptedTransport):
    has_tls = True
    resumed = True


class ScriptedLoad(ConnectionManager):
    """Users, or arrivals too where there is a pool, under one policy."""

    def __init__(self, policy: str) -> None:
        (parsed,) = parse_policies(policy)
        target = parse_target("https://h:81/" if parsed.resumes_tls else "http://h:81/")
        random = Random(SAME_CHANCE.get(policy, policy))
        self.moving = MovingClock()
        kind: type[ScriptedTransport] = type(
            "Transport", (TlsTransport if parsed.resumes_tls else ScriptedTransport,), {"random": random}
        )
        self.made_by = FakeRoute(self.moving, kind)
        self.rows = FakeSink()
        load = Load(timeout_ns=90 * NS_PER_MS)
        plan = Plan(target, (parsed,), load, retry_stale=not parsed.pipelines)
        super().__init__(plan, self.made_by, self.rows, connections=3, clock=self.moving)
        self.use(parsed)
        self.running = self.takes_cookies = True
        self.random = random
        self.users: list[Any]
        if self.policy.pool:
            self.pool = Pool(self, self.policy.pool, requests())
            self.users = [PooledUser(self, self.pool, UserState(number, requests())) for number in range(4)]
        else:
            made = PipelinedUser if self.policy.depth > 1 else ClosedLoopUser
            self.users = [made(self, number, UserState(number, requests())) for number in range(3)]

    def _at_work(self) -> Iterable[Connection | None]:
        slots = self.pool.slots if self.policy.pool else self.users
        return [slot.connection for slot in slots]

    def run(self) -> dict[str, Any]:
        for user in self.users:
            user.begin()
        for _ in range(STEPS):
            self._step()
        self.running = False
        for user in self.users:
            user.stop()
        for connection in self._at_work():
            if connection is not None and connection.busy:
                connection.abandon()
        self.close()
        return {
            "exchanges": [list(row.values()) for row in self.rows.exchanges],
            "connections": [list(map(int, row.values())) for row in self.rows.connections],
            "sent": [b"".join(one.requests).decode() for one in self.made_by.made],
            "closed": [one.closed for one in self.made_by.made],
            "counts": [self.errors, self.retried, self.after_close_tried, self.after_close_answered, self.connections],
            "last_failure": str(self.last_failure),
            "keep_alive": self.keep_alive,
            "looks": self.moving.looks,
        }

    def _step(self) -> None:
        random = self.random
        ready = [one for one in self.made_by.made if not one.closed and one.watched != NOTHING]  # type: ignore[attr-defined] # scripted
        chance = random.random()
        if not ready or chance < 0.1:
            self.moving.pass_ms(random.choice((0.1, 1, 11, 30)))
        if chance < 0.02:
            self._expire()
        elif chance < 0.06:
            self._end_grace()
        elif chance < 0.1 and self.policy.pool:
            now_ns = self.moving.monotonic_ns()
            self.pool.submit(None, now_ns - random.randrange(1_000_000), random.randrange(1_000))
        elif ready:
            self.moving.poll(random)
            random.choice(ready).play()  # type: ignore[attr-defined] # scripted


def main() -> None:
    results = {policy: ScriptedLoad(policy).run() for policy in POLICIES}
    json.dump({"core": core.running(), "results": results}, sys.stdout)


if __name__ == "__main__":
    main()
