"""Which requests waited for a delayed acknowledgement: the pattern of Nagle's algorithm against it. Knows no socket.

A side with Nagle's algorithm (RFC 896) holds back a small segment while an earlier one is unacknowledged, and the other
side delays its acknowledgement (RFC 1122 §4.2.3.2), on Linux by 40 ms at least (TCP_DELACK_MIN). So a request takes
40 ms, where the same usually takes much less, and few take a time between.
"""

from __future__ import annotations

import numpy as np

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
from loadgen.model.records import Phase
from loadgen.model.units import NS_PER_MS

# The kernel's timer counts ticks: at 250 a second it may be 4 ms late, at 100 a second 10 ms.
_FROM_NS, _UNTIL_NS = 39 * NS_PER_MS, 50 * NS_PER_MS
# Around that, where a slow server's times lie as well and this pattern's do not; as wide on both sides together.
_BELOW_NS, _ABOVE_NS = 33 * NS_PER_MS, 56 * NS_PER_MS
_QUICK_NS = 20 * NS_PER_MS
_MIN_REQUESTS, _MIN_SHARE = 10, 0.01
_TIMES_AROUND = 4
_MIN_QUICK_SHARE = 0.05


def delayed_ack_share(valid: Samples) -> float:
    """Share of complete requests that waited so; 0 where there is no such pattern."""
    # A connection's first segments are acknowledged at once.
    later = valid.columns["nth_on_connection"] > 0
    waits = valid.columns[Phase.WAIT.value][later].astype(np.int64)
    receives = valid.columns[Phase.RECEIVE.value][later].astype(np.int64)
    if not len(waits):
        return 0.0
    away_ns = int(np.quantile(waits, 0.01))  # a round trip, and what the server takes at least
    # Half of a response that comes 40 ms after the other half is no slow server, however many do; a response that
    # comes late as a whole may be.
    held = [_held(receives), _held(receives - away_ns)]
    if np.count_nonzero(waits < _QUICK_NS) >= _MIN_QUICK_SHARE * len(waits):
        held += [_held(waits), _held(waits - away_ns)]
    return max(held) / len(valid.columns["error"])


def _held(times_ns: Integers) -> int:
    """How many of these times are about 40 ms, if they stand out among all."""
    found = np.count_nonzero((times_ns >= _FROM_NS) & (times_ns < _UNTIL_NS))
    around = np.count_nonzero((times_ns >= _BELOW_NS) & (times_ns < _ABOVE_NS)) - found
    if found < max(_MIN_REQUESTS, _MIN_SHARE * len(times_ns)) or found < _TIMES_AROUND * around:
        return 0
    return int(found)
