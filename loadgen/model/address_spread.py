"""How new connections are spread over the addresses of a name. Knows no address."""

from __future__ import annotations

FIRST, ALL, RANDOM = "first", "all", "random"
SPREADS = (FIRST, ALL, RANDOM)
"""To the first address, to all in turn, to any."""
