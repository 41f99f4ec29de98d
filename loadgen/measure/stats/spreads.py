"""What a calibration takes from samples: each phase's spread, and how far stamps are off. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.packet_errors import PacketErrors
from loadgen.measure.data.row_assignment import Integers
from loadgen.measure.data.rows import Samples
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
    columns = {"connect": _columns_of(http, "close")["connect"]}
    columns |= {name: _columns_of(http, "persistent")[name] for name in ("send", "wait", "receive")}
    for name, policy, resumed in (("tls_full", "close", 0), ("tls_resumed", "close-resume", 1)):
        found = _columns_of(https, policy)
        columns[name] = found["tls"][found["tls_resumed"] == resumed]
    return _spreads({name: column[column >= 0] for name, column in columns.items()})


def stamp_delays(http: Samples) -> dict[str, Spread]:
    """Of `connect` and of `wait`, on the share of the requests on which the kernel was asked."""
    connect = _columns_of(http, "close")["connect_delay"]
    found = _columns_of(http, "persistent")
    in_time = (found["wait_delay"] >= 0) & (found["wait_delay"] <= found["send"] + found["wait"])
    return _spreads({"connect": connect[connect >= 0], "wait": found["wait_delay"][in_time]})


def packet_comparison(found: PacketErrors) -> PacketComparison:
    """The errors, summed up."""
    return {"matched": found.matched, "unmatched": found.unmatched, "errors_ns": _spreads(found.by_phase)}


def _columns_of(samples: Samples, policy: str) -> dict[str, Integers]:
    """Those of the policy's complete samples."""
    is_own = samples.columns["policy"] == samples.policies.index(policy)
    return samples.of(is_own & (samples.columns["error"] == ABSENT)).columns


def _spreads(columns: dict[str, NDArray[np.int64]]) -> dict[str, Spread]:
    found = {name: spread(column) for name, column in columns.items()}
    return {name: one for name, one in found.items() if one is not None}
