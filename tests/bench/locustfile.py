"""The same request by three kinds of Locust users; the command line names the one to run.

LOADGEN_BENCH_CPU names a file that gets the CPU time (s) of this process during the test.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant, events, task

from loadgen.swarm import ReuseUser, SwarmUser

_begun_s = 0.0


@events.test_start.add_listener
def begin(**_others: Any) -> None:
    global _begun_s
    _begun_s = time.process_time()


@events.test_stopping.add_listener
def end(**_others: Any) -> None:
    Path(os.environ["LOADGEN_BENCH_CPU"]).write_text(f"{time.process_time() - _begun_s}", encoding="ascii")


class Fast(FastHttpUser):
    """Locust's fast client."""

    @task
    def get(self) -> None:
        self.client.get("/")


class Reuse(ReuseUser):
    """The same scenario on our engine."""

    @task
    def get(self) -> None:
        self.client.get("/")


class Resting(ReuseUser):
    """A request a second, on a connection that stays open."""

    wait_time = constant(1)

    @task
    def get(self) -> None:
        self.client.get("/")


class Pooled(Reuse):
    """Over a pool with a connection for each user: what taking one costs."""

    policy = "pool:50"


class Streams(Reuse):
    """Over HTTP/2."""

    policy = "h2"


class Swarm(SwarmUser):
    """The engine by itself."""

    policy = "persistent"
