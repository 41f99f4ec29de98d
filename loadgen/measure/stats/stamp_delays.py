"""How much later than the kernel the generator stamped events, on the samples on which that was measured."""

from __future__ import annotations

from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
from loadgen.model.records import Phase


def known(column: Integers) -> Integers:
    """The values that were measured; a run of an earlier version has none of some."""
    found: Integers = column[column >= 0]
    return found


def connect_delays(samples: Samples) -> Integers:
    """Those of the end of `connect` (ns)."""
    return known(samples.columns["connect_delay"])


def wait_delays(samples: Samples) -> Integers:
    """Those of the end of `wait` (ns).

    Without stamps from before the request was sent: these are of other bytes, such as a TLS session ticket.
    """
    delays_ns = samples.columns["wait_delay"]
    return known(delays_ns[delays_ns <= samples.sum_ns(Phase.SEND, Phase.WAIT)])
