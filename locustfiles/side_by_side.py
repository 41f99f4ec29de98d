"""Users with persistent and users with non-persistent connections at the same time: what do they do to each other?

    locust -f locustfiles/side_by_side.py --class-picker -H http://127.0.0.1:8080

With --class-picker the start form lets you choose the user classes. Both load the target at the same time, so this does
not compare two situations, as compare.py does, but two kinds of clients in one. Without a host the embedded target is
started.
"""

from loadgen.swarm import SwarmUser


class Persistent(SwarmUser):
    """One connection, kept."""

    policy = "persistent"


class NonPersistent(SwarmUser):
    """A new connection for each request."""

    policy = "close"
