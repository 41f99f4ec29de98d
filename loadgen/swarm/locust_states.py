"""States as Locust spells them. To import them from Locust would patch the importing process's standard library.

A test holds them equal to Locust's.
"""

from __future__ import annotations

SPAWNING = "spawning"
RUNNING = "running"
CLEANUP = "cleanup"
STOPPING = "stopping"
MISSING = "missing"
LOADING = (SPAWNING, RUNNING)
"""Those of a runner whose users send requests."""
ENDING = (CLEANUP, STOPPING)
"""Those of a runner whose users are being stopped."""
