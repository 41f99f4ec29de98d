"""One locustfile for three kinds of users: what Locust's own examples do, with nothing that is of one kind alone.

LOADGEN_TEST_USERS: `HttpUser`, `FastHttpUser` or `ReuseUser`. LOADGEN_TEST_OTHER: the origin of a second server.
LOADGEN_TEST_DEAD: one on which nothing listens.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

import gevent
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, events, task
from locust.env import Environment
from locust.exception import RescheduleTask, StopUser

KIND = os.environ["LOADGEN_TEST_USERS"]
OTHER = os.environ["LOADGEN_TEST_OTHER"]
DEAD = os.environ["LOADGEN_TEST_DEAD"]

if KIND == "ReuseUser":
    from loadgen.swarm import ReuseUser as User
elif KIND == "HttpUser":
    User = HttpUser  # type: ignore[assignment,misc] # the three are used in the same way
else:
    User = FastHttpUser  # type: ignore[assignment,misc]

_at_work = 2  # the users that the test starts


@events.init.add_listener
def count_errors(environment: Environment, **_others: Any) -> None:
    """What a task raises shows among the requests, where it can be compared."""

    def count(exception: Exception, **_others: Any) -> None:
        environment.events.request.fire(
            request_type="RAISED", name="by a task", response_time=1, response_length=0, response=None, context={},
            exception=exception,
        )  # fmt: skip

    environment.events.user_error.add_listener(count)


class Pages(SequentialTaskSet):
    """Requests of all kinds, one after the other."""

    client: Any

    @task
    def plain(self) -> None:
        self.client.get("/")
        self.client.get("/list?page=2")
        self.client.get("/list", params={"page": 3}, name="/list")
        for number in range(3):
            self.client.get(f"/item?id={number}", name="/item?id=[id]")
        for method in ("get", "post", "put", "patch", "delete", "options"):
            getattr(self.client, method)(f"/methods/{method}")
        self.client.request("GET", "/requested")
        with self.client.rename_request("renamed"):
            self.client.get("/one")
            self.client.get("/two")
        self.client.request_name = "grouped"
        self.client.get("/three")
        self.client.request_name = None

    @task
    def bodies(self) -> None:
        self.client.post("/echo", {"a": "1"}, name="form")
        self.client.post("/echo", data="text", headers={"Content-Type": "text/plain"}, name="text")
        self.client.post("/json", json={"a": [1, None]}, name="json")
        self.client.put("/echo", data=b"\0\1", name="bytes")
        with self.client.post("/json", json={"b": 2}, name="answer", catch_response=True) as response:
            if response.json() != {"got": {"b": 2}}:
                response.failure("another answer")

    @task
    def upload(self) -> None:
        self.client.post("/upload", files={"file": ("a.txt", b"content of a", "text/plain")}, name="upload")

    @task
    def judged(self) -> None:
        with self.client.get("/status/404", name="forgiven", catch_response=True) as response:
            if response.status_code == 404:
                response.success()
        with self.client.get("/", name="blamed", catch_response=True) as response:
            if "hello" not in response.text:
                response.failure("no greeting")
        with self.client.get("/status/500", name="unjudged", catch_response=True):
            pass
        self.client.get("/status/404")
        self.client.get("/status/503")
        self.client.get("/status/204")

    @task
    def redirects(self) -> None:
        self.client.get("/redirect/3")
        self.client.get("/redirect/1", allow_redirects=False, name="not followed")
        self.client.post("/kept", data="body", headers={"Content-Type": "text/plain"})
        self.client.get("/loop")
        self.client.get("/away")

    @task
    def elsewhere(self) -> None:
        self.client.get(f"{OTHER}/found", name="other host")
        self.client.get(f"{self.user.host}/found", name="whole URL")
        self.client.get(f"{DEAD}/", name="nothing listens")
        self.client.get("/silent", name="no answer")

    @task
    def credentials(self) -> None:
        self.client.get("/private", name="no credentials")
        self.client.get("/private", auth=("me", "secret"), name="credentials")

    @task
    def stream(self) -> None:
        with self.client.get("/lines", stream=True, catch_response=True) as response:
            count = sum(len(piece) for piece in response.iter_content(4))
            if count != 35:
                response.failure(f"{count} bytes")

    @task
    def rest(self) -> None:
        with self.user.rest("POST", "/json", json={"c": 3}, name="rest") as response:
            if response.js["got"] != {"c": 3}:
                response.failure("another answer")
        with self.user.rest("GET", "/page", name="rest, no JSON"):
            pass
        with self.user.rest("GET", "/json", name="rest, asserted") as response:
            assert response.js is None, "there is JSON"
        with self.user.rest_("GET", "/json"):
            pass

    @task
    def of_requests(self) -> None:
        """What HttpUser's client takes and FastHttpUser's does not, or names otherwise."""
        if KIND == "FastHttpUser":
            return
        self.client.get("/unnamed", params={"a": [1, 2]})
        self.client.get(f"{OTHER}/unnamed")
        self.client.get("/cookies", cookies={"mine": "1"}, name="own cookie")
        self.client.cookies.set("kept", "2")
        self.client.get("/cookies", name="kept cookie")
        self.client.cookies.clear(name="kept", domain="", path="/")
        self.client.headers["X-Own"] = "mine"
        self.client.get("/fields", name="session's field")
        self.client.get("/fields", headers={"X-Own": None}, name="no field")
        self.client.auth = ("me", "secret")
        self.client.get("/private", name="session's credentials")
        self.client.auth = None
        self.client.get("/slow", timeout=0.2, name="too slow")
        self.client.get("/", timeout=(3, 5), verify=False, name="in time")
        self.client.head("/redirect/1")
        found = []
        self.client.get("/", hooks={"response": lambda response, **_: found.append(response.status_code)}, name="hook")
        lines = self.client.get("/lines", stream=True, name="lines").iter_lines()
        self.client.get("/", name=f"hooked {found}, read {len(list(lines))} lines")
        history = [one.status_code for one in self.client.get("/redirect/2", name="history").history]
        self.client.close()
        self.client.get("/", name=f"after {history}")

    @task
    def of_fast(self) -> None:
        """What FastHttpUser's client has and HttpUser's has not."""
        if KIND == "HttpUser":
            return
        count = len(list(self.client.iter_lines("/lines", name="iterated lines")))
        self.client.get("/fields", name=f"{count} lines and a default field")

    @task
    def raising(self) -> None:
        self.client.get("/status/500", name="raised").raise_for_status()

    @task
    def leave(self) -> None:
        self.interrupt()


class Nested(TaskSet):
    """Task sets inside each other, with marks of their begin and end."""

    client: Any
    visits = 0

    def on_start(self) -> None:
        self.client.get("/nested")

    def on_stop(self) -> None:
        self.client.get("/nested/left")

    @task
    def again(self) -> None:
        self.visits += 1
        if self.visits < 3:
            raise RescheduleTask
        self.client.get("/nested/third")
        self.interrupt(reschedule=False)


class Everything(SequentialTaskSet):
    """One part after the other; then the user ends."""

    tasks: ClassVar = [Pages, Nested]
    client: Any

    @task
    def done(self) -> None:
        raise StopUser


class Shopper(User):  # type: ignore[misc,valid-type] # one of three
    """Logs in, does everything once, logs out."""

    tasks: ClassVar = [Everything]
    default_headers: ClassVar = {"X-Fast": "1"}
    network_timeout = connection_timeout = 5.0

    def on_start(self) -> None:
        self.client.post("/login", {"user": "me", "password": "secret"})
        self.client.get("/account")

    def on_stop(self) -> None:
        global _at_work
        self.client.post("/logout")
        self.client.get("/account", name="after logout")
        _at_work -= 1
        if not _at_work:
            gevent.spawn(self.environment.runner.quit)
