"""What a calibration takes from samples: each phase's spread, and how far stamps are off. Runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.packet_errors import PacketErrors
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.stamp_delays import connect_delays, known, wait_delays
from loadgen.model.calibration import PacketComparison, Spread
from loadgen.model.records import ABSENT


def spread(values_ns: NDArray[np.int64] | Sequence[int]) -> Spread | None:
    """How the values are distributed; None where there is none."""
    if not len(values_ns):
        return None
    low, q1, p50, q3, p99 = (round(float(one)) for one in np.percentile(values_ns, (0, 25, 50, 75, 99)))
    return {"count": len(values_ns), "min": low, "q1": q1, "p50": p50, "q3": q3, "p99": p99}


def phase_spreads(http: Samples, https: Samples) -> dict[str, Spread]:
    """Each phase: in clear of the policy that has nothing else in it; and TLS, full and resumed.

    http, https: runs against the null target of `persistent` and `close`, over TLS of `close-resume` too.
    """
    columns = {"connect": _complete(http, "close").columns["connect"]}
    persistent = _complete(http, "persistent").columns
    columns |= {name: persistent[name] for name in ("send", "wait", "receive")}
    for name, policy, resumed in (("tls_full", "close", 0), ("tls_resumed", "close-resume", 1)):
        found = _complete(https, policy).columns
        columns[name] = found["tls"][found["tls_resumed"] == resumed]
    return spreads({name: known(column) for name, column in columns.items()})


def stamp_delays(http: Samples) -> dict[str, Spread]:
    """Of `connect` and of `wait`, on the share of the requests on which the kernel was asked."""
    return spreads({
        "connect": connect_delays(_complete(http, "close")),
        "wait": wait_delays(_complete(http, "persistent")),
    })  # fmt: skip


def packet_comparison(found: PacketErrors) -> PacketComparison:
    """The errors, summed up."""
    return {"matched": found.matched, "unmatched": found.unmatched, "errors_ns": spreads(found.by_phase)}


def _complete(samples: Samples, policy: str) -> Samples:
    """The policy's complete samples."""
    is_own = samples.columns["policy"] == samples.policies.index(policy)
    return samples.of(is_own & (samples.columns["error"] == ABSENT))


def spreads(columns: Mapping[str, NDArray[np.int64] | Sequence[int]]) -> dict[str, Spread]:
    """That of each column which has a value."""
    found = {name: spread(column) for name, column in columns.items()}
    return {name: one for name, one in found.items() if one is not None}
