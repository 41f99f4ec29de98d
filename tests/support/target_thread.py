"""The embedded target's server in a thread of the test's process: as quick to start as an object, and as real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from loadgen.target.behaviour import Behaviour
from loadgen.target.server import TargetServer

_PATIENCE_S = 10


@contextmanager
def target_in_thread(behaviour: Behaviour, tls_context: Any = None) -> Iterator[TargetServer]:
    """A server on a free loopback port, with a loop of its own. Its counts may be read from the test's thread."""
    started = threading.Event()
    made: dict[str, Any] = {}

    def serve() -> None:
        hub = gevent.get_hub()
        try:
            made["stop"] = hub.loop.async_()
            made["server"] = TargetServer("127.0.0.1", 0, behaviour, tls_context)
        finally:
            started.set()
        hub.wait(made["stop"])
        made["server"].close()
        hub.destroy(destroy_loop=True)

    thread = threading.Thread(target=serve, name="target", daemon=True)
    thread.start()
    assert started.wait(_PATIENCE_S)
    try:
        yield made["server"]
    finally:
        made["stop"].send()
        thread.join(_PATIENCE_S)
        assert not thread.is_alive(), "the target does not stop"
