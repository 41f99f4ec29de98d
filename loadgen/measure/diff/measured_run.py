"""A run as a diff reads it: its record, and each policy's samples arranged by round. Compares nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.block_counts import present
from loadgen.measure.data.rows import Samples
from loadgen.measure.stats.policy_samples import PolicySamples, policy_samples
from loadgen.model.block_facts import BlockFacts
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.records import ABSENT, Phase
from loadgen.model.run_record import RunRecord

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PolicyRounds:
    """What a policy did in each round."""

    measured: PolicySamples
    reused: Floats
    """Complete requests that were not the first on their connection."""
    failed: Floats
    """Requests that failed; unfinished ones did not."""
    own_mean_ns: float | None
    """The generator's own work per request, in no phase; None where the run does not know it."""
    phase_sums_ns: dict[str, Floats]
    """The sum of each phase (ns), of as many requests as `measured.latency_counts` says."""

    @property
    def is_answered(self) -> bool:
        return bool(self.measured.requests.any())


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run."""

    path: str
    """Its folder, as it was given."""
    record: RunRecord
    plan: Plan
    policies: dict[str, PolicyRounds]


def measured_run(path: str, record: RunRecord, plan: Plan, samples: Samples) -> MeasuredRun:
    """Arrange the samples of a run."""
    samples = samples.with_counts()
    rounds = 1 + max((block["round"] for block in samples.blocks), default=0)
    policies = {}
    for index, (name, indices) in enumerate(zip(samples.policies, samples.by_policy(), strict=True)):
        blocks = [block for block in samples.blocks if block["policy"] == name]
        policies[name] = _policy_rounds(policy_samples(samples, index, indices, rounds), blocks, rounds)
    return MeasuredRun(path, record, plan, policies)


def _policy_rounds(measured: PolicySamples, blocks: list[BlockFacts], rounds: int) -> PolicyRounds:
    reused, failed = np.zeros(rounds), np.zeros(rounds)
    for block in blocks:
        counted = block["counted"]
        reused[block["round"]] += counted["reused"]
        errors = counted.get("errors", {})
        failed[block["round"]] += sum(n for kind, n in errors.items() if kind != ErrorKind.UNFINISHED.label)
    return PolicyRounds(
        measured,
        reused,
        failed,
        _own_mean_ns(measured),
        {phase.value: _phase_sums(measured, phase, rounds) for phase in Phase},
    )


def _own_mean_ns(measured: PolicySamples) -> float | None:
    known = measured.valid.columns["own"]
    known = known[known != ABSENT]
    mean = float(known.mean()) if len(known) else 0.0
    return mean or None


def _phase_sums(measured: PolicySamples, phase: Phase, rounds: int) -> Floats:
    if measured.totals is not None:
        return measured.totals.sums_ns[phase.value].astype(np.float64)
    column = measured.valid.columns[phase.value]
    return np.bincount(measured.rounds, weights=present(column), minlength=rounds).astype(np.float64)
