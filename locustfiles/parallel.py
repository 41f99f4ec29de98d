"""Several requests at a time, over connections of different kinds, and messages of a WebSocket.

    locust -f locustfiles/parallel.py --class-picker -H http://127.0.0.1:8080

With --class-picker the start form lets you choose the kinds. Their users load the target at the same time: this shows
what each kind does, and does not compare them in turns, as compare.py does. The target has to speak HTTP/2 in clear and
WebSocket where these are chosen. Without a host the embedded target is started, which does.
"""

from locust import between, task

from loadgen.swarm import ReuseUser


class Page(ReuseUser):
    """Opens a page whose parts are requested at the same time."""

    abstract = True
    wait_time = between(0.01, 0.02)

    @task
    def open(self) -> None:
        self.client.get("/?size=20000", name="page")
        self.client.gather(
            ("GET", "/?size=2000&part=style", {"name": "part"}),
            ("GET", "/?size=5000&part=image", {"name": "part"}),
            ("POST", "/", {"json": {"seen": True}, "name": "seen"}),
        )


class OwnConnections(Page):
    """The parts come over connections of the user's own, which it keeps."""

    policy = "persistent"


class SharedPool(Page):
    """All users share three connections, and wait for a free one."""

    policy = "pool:3"


class Streams(Page):
    """Each user has one HTTP/2 connection."""

    policy = "h2"


class OneForAll(Page):
    """All users share one HTTP/2 connection."""

    policy = "h2+coalesce"


class Chat(ReuseUser):
    """Looks at a page, then talks over a WebSocket."""

    policy = "recycle:5"
    wait_time = between(0.01, 0.02)

    @task
    def talk(self) -> None:
        self.client.get("/", name="page")
        with self.client.websocket("/chat") as ws:
            for message in ("hello", b"\x00\xff"):
                ws.send(message)
                answer = ws.receive(timeout=5)
                assert answer == message, "the target echoes"
