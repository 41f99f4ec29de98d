"""Up to which share of a core what the generator measured is the target's and not its own. Judges nothing."""

from __future__ import annotations

HONEST_CPU_SHARE = 0.5
"""Below it hardly any event finds the generator at work, so that it need not wait. A pilot chooses no load above it."""
SATURATED_CPU_SHARE = 0.9
"""Above it what was measured is to a good part the generator itself."""
