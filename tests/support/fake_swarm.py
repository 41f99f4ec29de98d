"""Stand-ins for what loadgen's Locust side talks to: Locust's runner and environment, the workers, a clock.

None of them needs Locust, which would patch the standard library of the tests.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gevent

from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.swarm.options import add_options
from loadgen.swarm.user_classes import UserKind

CLASS_POLICIES = {"Alternating": ("persistent", "close")}
Sent = tuple[str, dict[str, Any], str]


def until(condition: Callable[[], object]) -> None:
    """Let greenlets run until the condition holds."""
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.001)


def block_done(block: dict[str, Any], users: int = 4, waited_ns: int = 0) -> dict[str, Any]:
    """What a worker with this number of users answers to RUN_BLOCK, or START_BLOCK, when its block is over."""
    answer = {key: block[key] for key in ("run", "round", "turn")} | {"late_ns": 0, "waited_ns": waited_ns}
    return {**answer, "users": {"Alternating": users}, "has_run": users > 0}


class Clock:
    """A monotonic clock that goes on only as a test says."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class FakeChannel:
    """The workers of a coordinating process; each message to one of them goes to `on_message`, if that is set."""

    def __init__(self, *workers: str, is_local: bool = False) -> None:
        self.present = list(workers)
        self.is_local = is_local
        self.sent: list[Sent] = []
        self.wanted = 100
        self.on_message: Callable[[str, dict[str, Any], str], None] = lambda kind, data, worker: None

    def workers(self) -> list[str]:
        return list(self.present)

    def send_to_worker(self, kind: str, data: dict[str, Any], worker: str) -> None:
        self.sent.append((kind, data, worker))
        self.on_message(kind, data, worker)

    def wanted_users(self) -> int:
        return self.wanted

    def worker_name(self, worker: str) -> str:
        return f"worker 0 ({worker})"

    def of_kind(self, kind: str) -> list[Sent]:
        return [one for one in self.sent if one[0] == kind]


class FakeRunner:
    """Locust's runner: who listens to what, and what was sent."""

    def __init__(self, clients: dict[str, str] | None = None) -> None:
        self.clients = {name: SimpleNamespace(state=state) for name, state in (clients or {}).items()}
        self.environment = SimpleNamespace(process_exit_code=None)
        self.listeners: dict[str, Callable[..., None]] = {}
        self.sent: list[tuple[Any, ...]] = []
        self.calls: list[str] = []
        self.state = "ready"
        self.target_user_count = 4
        self.target_user_classes_count = {"Alternating": 4}
        self.reported_user_classes_count = {"Alternating": 4}
        self._local_worker_node = SimpleNamespace(user_classes_count=self.target_user_classes_count)

    def register_message(self, kind: str, listener: Callable[..., None]) -> None:
        self.listeners[kind] = listener

    def send_message(self, *message: Any) -> None:
        self.sent.append(message)

    def receive(self, kind: str, sender: str, data: dict[str, Any]) -> None:
        """As Locust delivers a message."""
        self.listeners[kind](environment=self.environment, msg=SimpleNamespace(node_id=sender, data=data))

    def get_worker_index(self, worker: str) -> int:
        return list(self.clients).index(worker)

    def stop(self) -> None:
        self.calls.append("stop")

    def quit(self) -> None:
        self.calls.append("quit")


class LoopbackRunner(FakeRunner):
    """A local runner: what it sends comes back at once."""

    def send_message(self, *message: Any) -> None:
        super().send_message(*message)
        self.receive(message[0], "local", message[1])


def user_class(name: str, policy: str | None = None, kind: UserKind | None = UserKind.SWARM, host: str = "") -> type:
    """A user class of a locustfile. kind: None for one that is not loadgen's."""
    return type(name, (), {"policy": policy, "loadgen_kind": kind, "host": host})


def locust_options(**changes: Any) -> Namespace:
    """Locust's options as they are without any argument, but for these."""
    found: dict[str, Any] = {"run_time": None, "spawn_rate": 4.0, "json": False, "processes": None, "autostart": False}

    class Parser:
        def add_argument(self, flag: str, *, default: Any = None, action: str = "", **_: Any) -> None:
            if default != "==SUPPRESS==" and "const" not in _:
                found[flag[2:].replace("-", "_")] = False if action == "store_true" else default

    add_options(Parser())  # type: ignore[arg-type] # all of a parser that is used
    return Namespace(**{**found, **changes})


def fake_environment(*classes: type, host: str = "http://127.0.0.1:9", web_ui: Any = None, **options: Any) -> Any:
    """Locust's environment."""
    return SimpleNamespace(
        host=host,
        web_ui=web_ui,
        user_classes=list(classes),
        available_user_classes={one.__name__: one for one in classes},
        parsed_options=locust_options(**options),
        process_exit_code=None,
    )


def plan(policies: str = "persistent,close", url: str = "http://127.0.0.1:9/", **load: Any) -> Plan:
    return Plan(parse_target(url), parse_policies(policies), Load(**load))
