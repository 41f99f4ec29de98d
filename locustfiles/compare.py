"""The same users under persistent and close connections, in turns: what does reuse buy here?

    locust -f locustfiles/compare.py -H http://127.0.0.1:8080

All users alternate between the policies of --policies: one block of each policy a round, in random order, so that every
policy meets the same target at nearly the same time. Without a host the embedded target is started. The comparison is
printed at the end of a headless run, shown live in the web UI's tab "Connection reuse", and left in results/.
"""

from loadgen.swarm import SwarmUser


class Alternating(SwarmUser):
    """Sends --path again and again, under the policy whose turn it is."""
