"""A journey of several steps, over one persistent connection or over a new one for each step.

    locust -f locustfiles/scenario.py --class-picker -H http://127.0.0.1:8080

Scenarios are plain Python: `self.client` is called like Locust's clients, and every response has its phases and says
whether its connection was reused. Half of the users keep their connection, the others don't. Without a host the
embedded target is started, which answers with as many bytes as `size` says.
"""

from locust import between, task

from loadgen.swarm import ReuseUser


class Journey(ReuseUser):
    """Looks at a start page, at some items, and sends an order."""

    abstract = True
    wait_time = between(0.01, 0.05)

    @task
    def order(self) -> None:
        self.client.get("/?size=20000", name="start page")
        for item in (1, 2, 3):
            self.client.get(f"/?size=2000&item={item}", name="item")
        with self.client.post("/", json={"items": [1, 2, 3]}, name="order", catch_response=True) as response:
            if self.policy == "persistent" and not response.reused:
                response.failure("the order opened a connection of its own")


class OneConnection(Journey):
    """The whole journey, and the next ones, over one connection."""

    policy = "persistent"


class ManyConnections(Journey):
    """A new connection for each step."""

    policy = "close"
