"""The messages of one Locust process: who is there, and what is sent to whom. Knows no run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any

import gevent
from locust.runners import STATE_MISSING, MasterRunner, Runner, WorkerRunner

import loadgen
import loadgen.swarm.messages as messages

_LOCAL = "local"  # as a local runner calls itself
EXIT_PLAN = 2
"""As that of `loadgen compare` for what can't be run."""

logger = logging.getLogger(__name__)
Handler = Callable[[str, dict[str, Any]], object]


class MessageChannel:
    """welcome: called on a master with each worker that has come and can take part."""

    def __init__(self, runner: Runner, welcome: Callable[[str], None]) -> None:
        self._runner = runner
        self._welcome = welcome
        self._welcomed: set[str] = set()
        if isinstance(runner, MasterRunner):
            self.listen(messages.HELLO, self._on_hello)
        if isinstance(runner, WorkerRunner):
            self.listen(messages.REFUSED, self._on_refused)
            self.to_master(messages.HELLO, {"version": loadgen.__version__})

    def listen(self, kind: str, handle: Handler) -> None:
        """Have `handle` called with the sender and the content of each message of this kind."""
        self._runner.register_message(kind, lambda environment, msg, **_: handle(msg.node_id, msg.data))

    def to_worker(self, kind: str, data: dict[str, Any], worker: str) -> None:
        """Send to one worker; a local runner is its own."""
        self._runner.send_message(kind, data, worker)

    def to_master(self, kind: str, data: dict[str, Any]) -> None:
        """Send to whoever orders the blocks; a local runner does."""
        self._runner.send_message(kind, data)

    def members(self) -> Collection[str]:
        """The workers that are there now and can take part."""
        if not isinstance(self._runner, MasterRunner):
            return (_LOCAL,)
        clients = self._runner.clients
        return [one for one in clients if clients[one].state != STATE_MISSING and one in self._welcomed]

    def name(self, worker: str) -> str:
        """As Locust numbers it in its own messages."""
        number = self._runner.get_worker_index(worker) if isinstance(self._runner, MasterRunner) else 0
        return f"worker {number} ({worker})"

    def _on_hello(self, worker: str, data: dict[str, Any]) -> None:
        if data["version"] == loadgen.__version__:
            self._welcomed.add(worker)
            self._welcome(worker)
            return
        message = (
            f"{self.name(worker)} has loadgen {data['version']}, the master {loadgen.__version__}; "
            "install the same version on both"
        )
        logger.error("loadgen: %s", message)
        self.to_worker(messages.REFUSED, {"message": message}, worker)
        assert isinstance(self._runner, MasterRunner)
        self._runner.clients.pop(worker, None)  # Locust is not to count on it

    def _on_refused(self, _master: str, data: dict[str, Any]) -> None:
        logger.error("loadgen: %s", data["message"])
        self._runner.environment.process_exit_code = EXIT_PLAN
        gevent.spawn(self._runner.quit)
