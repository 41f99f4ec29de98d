"""Every request opens a connection of its own and announces its end.

    locust -f locustfiles/non_persistent.py -H http://127.0.0.1:8080

The client says `Connection: close` and closes its side whatever the server answers; a server that does not close is
counted. Try `close-resume`, `recycle:10` or `abandon` in its place. Without a host the embedded target is started.
"""

from loadgen.swarm import SwarmUser


class NonPersistent(SwarmUser):
    """A new connection for each request."""

    policy = "close"
