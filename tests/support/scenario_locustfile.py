"""Scenarios for the tests, with a stand-in for the plugin: it keeps rows and events and writes them down at the end.

LOADGEN_TEST_REPORT names the file; what a scenario found goes into its `found`, or why it failed into `wrong`.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from locust import SequentialTaskSet, TaskSet, User, constant, events, task
from locust.env import Environment
from locust.exception import CatchResponseError, LocustError, ResponseError, StopUser

from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policy
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
from loadgen.model.sample_sink import SampleSink
from loadgen.model.target import parse_target
from loadgen.swarm import locust_patches
from loadgen.swarm.origin_pools import OriginPools
from loadgen.swarm.reuse_user import ReuseUser
from loadgen.wire.route import Route

REPORT: dict[str, Any] = {"events": [], "exchanges": [], "connections": [], "found": {}, "wrong": [], "marks": []}
locust_patches.install()


class Rows(SampleSink):
    """Keeps the rows of all runners in the report. Locust loads this file alone, without tests.support."""

    def exchange(self, *row: int) -> None:
        REPORT["exchanges"].append(dict(zip(EXCHANGE_FIELDS, row, strict=True)))

    def connection(self, *row: int) -> None:
        REPORT["connections"].append(dict(zip(CONNECTION_FIELDS, row, strict=True)))


class Runner:
    def __init__(self, plan: Plan, policy: str) -> None:
        self.origin_pools = OriginPools(GreenletClientPool(plan, Route.of(plan), Rows(), policy))


class Plugin:
    """Has a runner for each user class that asks for one."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.runners: dict[str, Runner] = {}

    def user_spawned(self, user_class: str) -> None: ...

    def user_gone(self, user_class: str) -> None: ...

    def user_started(self, user_class: str) -> None: ...

    def user_stopped(self, user_class: str) -> None: ...

    def scenario_runner(self, user_class: type[ReuseUser]) -> Runner:
        name = user_class.__name__
        if name not in self.runners:
            target = parse_target(self._environment.host or "")
            load = Load(timeout_ns=2_000_000_000)
            plan = Plan(target, (parse_policy(user_class.policy),), load)
            self.runners[name] = Runner(plan, user_class.policy)
        return self.runners[name]


@events.init.add_listener
def set_up(environment: Environment, **_others: Any) -> None:
    environment.loadgen = Plugin(environment)


@events.test_stop.add_listener
def write_report(environment: Environment, **_others: Any) -> None:
    for runner in environment.loadgen.runners.values():
        runner.origin_pools.close()
    if "LOADGEN_TEST_REPORT" in os.environ:
        Path(os.environ["LOADGEN_TEST_REPORT"]).write_text(json.dumps(REPORT), encoding="utf-8")


@events.request.add_listener
def keep_event(response: Any, exception: Any, **values: Any) -> None:
    if "LOADGEN_TEST_REPORT" in os.environ:
        REPORT["events"].append({**values, "exception": exception and repr(exception), "status": response.status_code})


def seen(response: Any) -> dict[str, Any]:
    """A response as a test can read it."""
    return {
        "status": [response.status, response.status_code],
        "ok": response.ok,
        "error": response.error_kind,
        "text": response.text,
        "headers": dict(response.headers),
        "url": response.url,
        "reused": response.reused,
        "phases": response.phases,
        "elapsed_us": response.elapsed.total_seconds() * 1e6,
    }


def raised(action: Callable[[], Any]) -> str:
    """What an action raises, its type first."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


class Once(ReuseUser):
    """Runs its scenario once and ends the test."""

    abstract = True

    @task
    def once(self) -> None:
        try:
            self.scenario(REPORT["found"])
        except Exception:
            REPORT["wrong"].append(traceback.format_exc())
        self.environment.runner.quit()
        raise StopUser

    def scenario(self, found: dict[str, Any]) -> None:
        raise NotImplementedError

    def context(self) -> dict[str, Any]:
        return {"journey": 7, "policy": "not this one"}


class Methods(Once):
    """Everything that a client can be asked for; the server says what it got."""

    def scenario(self, found: dict[str, Any]) -> None:
        client = self.client
        for method in ("get", "post", "put", "delete", "patch", "options", "head"):
            found[method] = seen(getattr(client, method)(f"/{method}"))
        found["lower"] = seen(client.request("get", "/lower", name="renamed", context={"step": 1}))
        found["form"] = client.post("/form", {"a": "1 2", "b": ["x", "ü"]}).json()
        found["pairs"] = client.post("/pairs", data=[("a", "1"), ("a", "2")]).json()
        found["text"] = client.put("/text", "grüße", headers={"Content-Type": "text/plain"}).json()
        found["bytes"] = client.patch("/bytes", data=b"\x00\x01").json()
        found["json"] = client.post("/json", json={"ü": [1, None]}).json()
        found["typed"] = client.post("/json", json=0, headers={"content-type": "application/x"}).json()
        found["empty"] = client.post("/empty").json()
        found["params"] = client.get("/p?x=1#part", params={"y": "a b", "z": [1, 2]}).json()
        found["params_text"] = client.get("/p", params="q=1").json()
        found["whole_url"] = client.get(f"{self.host}/whole?x=1").json()
        found["no_path"] = client.get("").json()
        found["query_only"] = client.get("?a=1").json()


class Judged(Once):
    """Statuses, verdicts of with blocks, and what can't be sent."""

    def scenario(self, found: dict[str, Any]) -> None:
        client = self.client
        found["404"] = seen(client.get("/status/404"))
        found["304"] = seen(client.get("/status/304"))
        found["redirect"] = seen(client.get("/status/302", allow_redirects=False))
        client.each_redirect = True
        found["each"] = seen(client.get("/status/302"))
        client.each_redirect = False
        found["chain"] = seen(client.get("/status/303", name="chain"))
        found["raise_404"] = raised(client.get("/status/404", name="raised").raise_for_status)
        found["raise_200"] = raised(client.get("/status/200", name="raised").raise_for_status)
        with client.get("/status/404", name="forgiven", catch_response=True) as response:
            response.success()
        found["raise_forgiven"] = raised(response.raise_for_status)
        with client.get("/status/200", name="blamed", catch_response=True) as response:
            response.failure("not what was wanted")
        found["raise_blamed"] = raised(response.raise_for_status)
        with client.get("/status/200", name="blamed by exception", catch_response=True) as response:
            response.failure(ValueError("own"))
        with client.get("/status/500", name="unjudged", catch_response=True):
            pass
        with client.get("/status/200", name="raises", catch_response=True):
            raise ResponseError("of the block")
        found["through"] = raised(self.through)
        found["meta"] = "changed"
        with client.get("/status/200", name="meta", catch_response=True) as response:
            response.request_meta["name"] = "changed"
        found["no_catch"] = raised(lambda: client.get("/status/200", name="plain").__enter__())
        found["not_entered"] = raised(lambda: client.get("/", name="never", catch_response=True).success())
        found["connection"] = raised(lambda: client.get("/", headers={"Connection": "close"}))
        found["no_slash"] = raised(lambda: client.get("items"))
        found["number"] = raised(lambda: client.get("/", headers={"X-Number": 1}))
        found["names"] = [LocustError.__name__, CatchResponseError.__name__]

    def through(self) -> None:
        with self.client.get("/status/200", name="breaks", catch_response=True):
            raise KeyError("not the response's fault")


class Broken(Once):
    """A target whose answers don't come."""

    def scenario(self, found: dict[str, Any]) -> None:
        found["cut"] = seen(self.client.get("/cut"))
        found["raise_cut"] = raised(self.client.get("/cut").raise_for_status)
        found["silent"] = seen(self.client.get("/silent"))
        found["garbage"] = seen(self.client.get("/garbage"))
        found["after"] = seen(self.client.get("/after"))


class Recycling(Once):
    policy = "recycle:3"

    def scenario(self, found: dict[str, Any]) -> None:
        found["reused"] = [self.client.get("/").reused for _ in range(7)]


class Journey(ReuseUser):
    """A journey of several steps, with a nested task set and marks of its begin and end."""

    wait_time = constant(0.01)

    def on_start(self) -> None:
        REPORT["marks"].append("start")
        self.client.post("/login", {"user": "me"})

    def on_stop(self) -> None:
        self.client.post("/logout")
        REPORT["marks"].append("stop")

    @task
    class Steps(SequentialTaskSet):
        @task
        def first(self) -> None:
            self.client.get("/first")

        @task
        class Inner(TaskSet):
            @task
            def inner(self) -> None:
                self.client.get("/inner")
                self.interrupt()


class Stuck(ReuseUser):
    """Waits for a server that does not answer when the test stops."""

    @task
    def wait(self) -> None:
        self.client.get("/silent")

    def on_stop(self) -> None:
        REPORT["marks"].append("stop")


class Brief(ReuseUser):
    """Ends by itself after one request."""

    @task
    def once(self) -> None:
        self.client.get("/once")
        raise StopUser


class Fast(ReuseUser):
    """As many requests as it can."""

    @task
    def get(self) -> None:
        self.client.get("/")


class Closing(Fast):
    """Each on a connection of its own."""

    policy = "close"


class Fixed(User):
    """Fires events with times that a test knows."""

    wait_time = constant(0.001)

    @task
    def fire(self) -> None:
        for time_ms in (0.1234, 0.2345, 0.5, 1.234, 12.34, 123.4, 1234.0):
            self.environment.events.request.fire(
                request_type="GET",
                name="/fixed",
                response_time=time_ms,
                response_length=5,
                response=self,
                exception=None,
                context={},
                start_time=0.0,
                url="",
            )

    status_code = 200
