"""Whether the machine itself changed between two runs: by the generator's own work, which no target can change.

It is a negative control (`stats/unpaired.py`): a busier neighbour makes it longer as it makes requests longer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadgen.measure.diff.measured_run import MeasuredRun
from loadgen.model.diff_record import MachineControl
from loadgen.model.units import NS_PER_S


def machine_control(names: Sequence[str], old: MeasuredRun, new: MeasuredRun) -> MachineControl | None:
    """By how much the own work per request changed under these policies; None where a run does not know it."""
    pairs = []
    for name in names:
        before, after = old.policies[name].own_mean_ns, new.policies[name].own_mean_ns
        if before is None or after is None:
            return None
        pairs.append((before, after))
    if not pairs:
        return None
    moves = [math.log(after / before) for before, after in pairs]
    return {
        "old_own_mean_ns": round(sum(before for before, _ in pairs) / len(pairs)),
        "new_own_mean_ns": round(sum(after for _, after in pairs) / len(pairs)),
        "moved": math.sqrt(sum(move**2 for move in moves) / len(moves)),
    }


def busy_share(name: str, runs: Sequence[MeasuredRun]) -> float:
    """The share of a closed loop's users that wait for an answer, by Little's law; the largest of the runs.

    Throughput follows latency only that far, as the others rest. 1 in an open loop.
    """
    return min(1.0, max(_busy_share(name, run) for run in runs))


def _busy_share(name: str, run: MeasuredRun) -> float:
    users = next((cell.users for cell in run.plan.cells if cell.name == name and not cell.rate_rps), 0)
    measured = run.policies[name].measured
    seconds, requests = measured.seconds.sum(), measured.latency_counts.sum()
    if not users or not seconds or not requests:
        return 1.0
    rate_rps, latency_s = measured.answered.sum() / seconds, measured.latency_sums_ns.sum() / requests / NS_PER_S
    return float(rate_rps * latency_s / users)


def moved_apart(baseline: str, candidate: str, old: MeasuredRun, new: MeasuredRun) -> float:
    """By how much the ratio of two policies' own work changed, as a logarithm; 0 where it is not known."""
    logarithms = []
    for run in (old, new):
        first, second = run.policies[baseline].own_mean_ns, run.policies[candidate].own_mean_ns
        if first is None or second is None:
            return 0.0
        logarithms.append(math.log(second / first))
    return abs(logarithms[1] - logarithms[0])
