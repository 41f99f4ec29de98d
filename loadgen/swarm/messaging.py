"""The messages of one Locust process: which workers are there, and what is sent to which. Knows no run.

Works with any object that has the few attributes of Locust's runners used here; imports no Locust.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, Protocol

import gevent

import loadgen
import loadgen.swarm.messages as messages
from loadgen.model.characters import visible
from loadgen.model.typed_json import misfit
from loadgen.swarm.locust_states import MISSING

_LOCAL_WORKER = "local"  # the name that Locust's local runner gives itself
_MAX_NAME = 100
EXIT_PLAN = 2
"""The exit code for a run that can't be started, as that of `loadgen compare`."""

logger = logging.getLogger(__name__)
Handler = Callable[[str, dict[str, Any]], object]


def bad_message(name: str, kind: str, wrong: str) -> str:
    """What a warning says of a message that is none of its kind. name: the worker's."""
    return f"{name} sent a message that is none of its kind ({kind}: {wrong}); it was not used"


class Role(Enum):
    """What a Locust process does: coordinate, make load, or both."""

    LOCAL = "local"
    MASTER = "master"
    WORKER = "worker"


class WorkerChannel(Protocol):
    """The workers of a Locust process, as `MessageChannel` has them."""

    @property
    def is_local(self) -> bool:
        """This process is the only worker, and writes into the run's folder itself."""

    def workers(self) -> Collection[str]:
        """The workers that are there now and can take part."""

    def send_to_worker(self, kind: str, data: dict[str, Any], worker: str) -> None: ...

    def wanted_users(self) -> int:
        """How many users of any class are asked for now."""

    def worker_name(self, worker: str) -> str:
        """A worker's name for people."""


class MessageChannel:
    """Sends and receives messages through Locust's runner. A local runner is its own worker.

    worker_joined: called on a master with each worker that has connected and can take part.
    on_misfit: called with the kind of a message, its sender, and what is wrong with it.
    """

    def __init__(self, runner: Any, role: Role) -> None:
        self.worker_joined: Callable[[str], None] = lambda worker: None
        self.on_misfit: Callable[[str, str, str], None] = self._log_misfit
        self._runner = runner
        self._role = role
        self._accepted: set[str] = set()  # workers of the same version

    def announce(self) -> None:
        """Begin to take part, once everybody listens."""
        if self._role is Role.MASTER:
            self.listen(messages.HELLO, self._on_hello)
        elif self._role is Role.WORKER:
            self.listen(messages.WORKER_REFUSED, self._on_refused)
            self.send_to_coordinator(messages.HELLO, {"version": loadgen.__version__})

    def listen(self, kind: str, handle: Handler) -> None:
        """Have `handle` called with the sender and the content of each message of this kind that has its form."""
        self._runner.register_message(
            kind, lambda environment, msg, **_: self.receive(kind, msg.node_id, msg.data, handle)
        )

    def receive(self, kind: str, sender: str, data: Any, handle: Handler) -> None:
        """A message has come; `handle` gets it unless it is none of its kind."""
        wrong = misfit(data, messages.FORMS[kind]) if kind in messages.FORMS else ""
        if wrong:
            self.on_misfit(kind, sender, wrong)
        else:
            handle(sender, data)

    def send_to_worker(self, kind: str, data: dict[str, Any], worker: str) -> None:
        self._runner.send_message(kind, data, worker)

    def send_to_coordinator(self, kind: str, data: dict[str, Any]) -> None:
        self._runner.send_message(kind, data)

    @property
    def is_local(self) -> bool:
        """The coordinating process is the only worker."""
        return self._role is Role.LOCAL

    def workers(self) -> Collection[str]:
        """The workers that are there now and can take part."""
        if self._role is not Role.MASTER:
            return (_LOCAL_WORKER,)
        clients = self._runner.clients
        return [worker for worker in clients if clients[worker].state != MISSING and worker in self._accepted]

    def dispatched_users(self) -> Mapping[str, int]:
        """How many users of each class Locust was to start, by its last order, on all workers.

        That may be fewer than were asked for: all classes have a `fixed_count`. The local runner's own count of them
        leaves out those that have ended already.
        """
        found: Mapping[str, int] = (
            self._runner.target_user_classes_count
            if self._role is Role.MASTER
            else self._runner._local_worker_node.user_classes_count
        )
        return found

    def wanted_users(self) -> int:
        """How many users of any class are asked for now."""
        return int(self._runner.target_user_count)

    def worker_name(self, worker: str) -> str:
        """The worker's number in Locust's own messages, and its identifier."""
        number = self._runner.get_worker_index(worker) if self._role is Role.MASTER else 0
        return f"worker {number} ({visible(worker[:_MAX_NAME])})"

    def _on_hello(self, worker: str, data: dict[str, Any]) -> None:
        if data["version"] == loadgen.__version__:
            self._accepted.add(worker)
            self.worker_joined(worker)
            return
        version = visible(data["version"][:_MAX_NAME])
        message = (
            f"{self.worker_name(worker)} has loadgen {version}, the master {loadgen.__version__}; "
            "install the same version on both"
        )
        logger.error("loadgen: %s", message)
        self.send_to_worker(messages.WORKER_REFUSED, {"message": message}, worker)
        self._runner.clients.pop(worker, None)  # so that Locust gives it no users

    def _log_misfit(self, kind: str, worker: str, wrong: str) -> None:
        logger.warning("loadgen: %s", bad_message(self.worker_name(worker), kind, wrong))

    def _on_refused(self, _master: str, data: dict[str, Any]) -> None:
        logger.error("loadgen: %s", data["message"])
        self._runner.environment.process_exit_code = EXIT_PLAN
        gevent.spawn(self._runner.quit)
