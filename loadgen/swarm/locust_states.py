"""States as Locust spells them. To import them from Locust would patch the importing process's standard library.

A test holds them equal to Locust's.
"""

from __future__ import annotations

SPAWNING = "spawning"
RUNNING = "running"
MISSING = "missing"
LOADING = (SPAWNING, RUNNING)
"""Those of a runner whose users send requests."""
