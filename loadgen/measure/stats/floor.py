"""The smallest difference that this machine can resolve, from its calibration. Judges nothing.

A difference of two means is off by what the stamps of one policy add and those of the other don't. Each request has
one `send + wait`; that both policies have the same error there is likely and not known, so it counts in full. `connect`
and `tls` count as far as one policy has them more often than the other. The clock's step is the least that a stamp can
be off:

    floor = step + error(send + wait) + |connects per request, candidate - baseline| x error(connect)
                 + |TLS handshakes per request, candidate - baseline| x error(tls)

The errors are medians: against packet times where the calibration had a capture, else the delay of the stamps by the
kernel's own. They say how far off a typical request is, and so how far a mean may be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from loadgen.model.calibration import CalibrationRecord, PacketComparison, Spread, StampErrors
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.records import Phase
from loadgen.model.summary import ComparisonSummary

_EXCHANGE = (Phase.SEND, Phase.WAIT, Phase.RECEIVE)


def stamp_errors(packets: PacketComparison | None, delays_ns: dict[str, Spread]) -> StampErrors:
    """The typical error of each phase. delays_ns: of `connect` and `wait`, by the kernel's stamps."""
    if packets is not None and {"connect", "send_wait"} <= packets["errors_ns"].keys():
        median = {name: abs(one["p50"]) for name, one in packets["errors_ns"].items()}
        tls_ns = median.get("tls", median["connect"])
        return {"source": "packets", "connect": median["connect"], "tls": tls_ns, "send_wait": median["send_wait"]}
    delays = {name: one["p50"] for name, one in delays_ns.items()}
    # The end of a TLS handshake is an event like the others; `connect` may be over as connect(2) returns.
    connect_ns, wait_ns = delays.get("connect", 0), delays.get("wait", 0)
    return {"source": "stamps", "connect": connect_ns, "tls": max(connect_ns, wait_ns), "send_wait": wait_ns}


def floor_ns(calibration: CalibrationRecord, baseline: PolicySummary, candidate: PolicySummary) -> int:
    """The floor of the difference between the mean latencies of two policies (ns)."""
    errors = calibration["error_ns"]
    more_connects = abs(_share(candidate, Phase.CONNECT) - _share(baseline, Phase.CONNECT))
    more_handshakes = abs(_share(candidate, Phase.TLS) - _share(baseline, Phase.TLS))
    total = errors["send_wait"] + more_connects * errors["connect"] + more_handshakes * errors["tls"]
    return round(calibration["clock"]["step_ns"] + total)


def exchange_floor_ns(calibration: CalibrationRecord | None) -> int:
    """What a request on an open connection takes where the target answers at once (ns); 0 where that is not known."""
    phases = {} if calibration is None else calibration["phases_ns"]
    return sum(phases[phase.value]["p50"] for phase in _EXCHANGE if phase.value in phases)


class WithinFloor(NamedTuple):
    """A difference that is certain, and smaller than the machine can resolve."""

    comparison: ComparisonSummary
    floor_ns: int


def within_floor(
    calibration: CalibrationRecord | None, comparisons: Iterable[ComparisonSummary], policies: dict[str, PolicySummary]
) -> list[WithinFloor]:
    """The certain differences of means that are below their floor; none where the machine has no calibration.

    Of a difference that is not certain nothing is claimed, so nothing is taken back.
    """
    if calibration is None:
        return []
    found = (
        WithinFloor(one, floor_ns(calibration, policies[one["baseline"]], policies[one["candidate"]]))
        for one in comparisons
        if one["is_certain"]
    )
    return [one for one in found if abs(one.comparison["latency_mean_delta_ns"]) < one.floor_ns]


def _share(policy: PolicySummary, phase: Phase) -> float:
    """How many of its requests had that phase."""
    return policy["phases_ns"][phase.value]["count"] / policy["requests"] if policy["requests"] else 0.0
