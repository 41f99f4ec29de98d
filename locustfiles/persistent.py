"""Every user keeps one connection for all its requests.

    locust -f locustfiles/persistent.py -H http://127.0.0.1:8080

The client says `Connection: keep-alive` and keeps the connection as long as the server lets it (RFC 9112 §9.3). Look at
"opened N (ideal M)": where N is larger, reuse is not happening. Without a host the embedded target is started.
"""

from loadgen.swarm import SwarmUser


class Persistent(SwarmUser):
    """One connection, kept."""

    policy = "persistent"
