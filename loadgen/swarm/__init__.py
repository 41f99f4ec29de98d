"""Locust on loadgen's engine: users for locustfiles, a tab in the web UI, workers whose results become one.

A locustfile needs no more than `from loadgen.swarm import SwarmUser` (or ReuseUser): that connects loadgen with the
events of Locust. It imports Locust, which patches the standard library for gevent; importing this package does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadgen.swarm.locust_events import ReuseUser, SwarmUser

__all__ = ["ReuseUser", "SwarmUser"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from loadgen.swarm.locust_events import ReuseUser, SwarmUser

    globals().update(ReuseUser=ReuseUser, SwarmUser=SwarmUser)
    return globals()[name]
