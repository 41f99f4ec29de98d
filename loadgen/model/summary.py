"""The types of `summary.json`, what a run found: each key with its unit and its meaning. Computes nothing.

`docs/summary.schema.json` is made from these types, with the text beside each field as its description. Names end in
their unit: `_ns` nanoseconds of integers, `_rps` requests per second, `_bytes`. A ratio is a float. A value that is not
known, or does not apply, is null. `ci95` is the 95 % interval [low, high] from leaving out one round after the other;
null where one round was run. Keys may be added in later versions; none is renamed.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from loadgen.model.check_summary import CheckSummary
from loadgen.model.gate_summary import GateSummary
from loadgen.model.latency_slice import LatencySlice
from loadgen.model.pilot_record import PilotRecord
from loadgen.model.plan_record import PlanRecord
from loadgen.model.policy_summary import PolicySummary, RatioInterval, WholeInterval
from loadgen.model.run_record import EnvironmentRecord, RunWarning
from loadgen.model.sweep_summary import SweepSummary

SCHEMA = 1
"""The version of this layout: the summary's `schema`."""


class EquivalenceSummary(TypedDict):
    """Whether two mean latencies are shown to be alike."""

    bound: float
    """The share by which they may differ."""
    shown: bool
    """The whole interval of the ratio of means lies between 1 / (1 + bound) and 1 + bound."""


class ComparisonSummary(TypedDict):
    """Two policies under the same load, from the rounds in which both have samples."""

    baseline: str
    """The policy that the other is compared with."""
    candidate: str
    """The policy that is compared."""
    rounds: int
    """Rounds in which both have samples."""
    latency_mean_ratio: float
    """Mean latency, candidate / baseline: the statistic that the verdict goes by."""
    latency_mean_ratio_ci95: RatioInterval
    """Interval of that ratio."""
    p_value: float | None
    """How probable so large a ratio of means is if there is no difference; null where there is no interval."""
    is_certain: bool
    """There is a difference: all that the run calls certain are so together, at 95 % (Holm's procedure)."""
    latency_p50_delta_ns: int
    """Median latency, candidate less baseline (ns)."""
    latency_p50_delta_ci95: WholeInterval
    """Interval of that difference (ns)."""
    latency_p50_ratio: float
    """Median latency, candidate / baseline."""
    latency_p50_ratio_ci95: RatioInterval
    """Interval of that ratio."""
    latency_p99_delta_ns: int
    """99th percentile of the latency, candidate less baseline (ns)."""
    latency_p99_delta_ci95: WholeInterval
    """Interval of that difference (ns)."""
    latency_p99_ratio: float
    """99th percentile of the latency, candidate / baseline."""
    latency_p99_ratio_ci95: RatioInterval
    """Interval of that ratio."""
    throughput_ratio: float | None
    """Throughput, candidate / baseline; null where no answer of the baseline came within its windows."""
    throughput_ratio_ci95: RatioInterval
    """Interval of that ratio."""
    baseline_mean_ns: int
    """Mean latency of the baseline (ns)."""
    candidate_mean_ns: int
    """Mean latency of the candidate (ns)."""
    latency_mean_delta_ns: int
    """Mean latency, candidate less baseline (ns): the sum of `phase_deltas_mean_ns`."""
    latency_mean_delta_ci95: WholeInterval
    """Interval of that difference (ns)."""
    handshake_mean_ns: int
    """The part of that difference that is handshake: dns + connect + tunnel + tls + upgrade (ns)."""
    residual_mean_ns: int
    """The rest: what the candidate costs beyond its measured handshake (ns)."""
    phase_deltas_mean_ns: dict[str, int]
    """Mean per request of each phase, candidate less baseline (ns)."""
    equivalence: EquivalenceSummary | None
    """By the plan's `equivalent`; null where it has none."""


class PrecisionSummary(TypedDict):
    """How a run ended that went on until its ratios were known well enough."""

    aim: float
    """Share within which each `latency_mean_ratio` was to be known: 0.02 is ± 2 %."""
    half_width: float | None
    """Share within which each of them is known; null where one has no interval."""
    is_reached: bool
    """Each is known as well as it was to be."""
    rounds: int
    """Rounds that were run."""
    max_rounds: int
    """Rounds that `--max-time` had room for."""


class BlockConnections(TypedDict):
    """Connections of one block, warm-up included; see ConnectionsSummary."""

    opened: int
    """Connections opened."""
    closed_by_client: int
    """Ended first by the client."""
    closed_by_server: int
    """Ended first by the server."""
    tls_full: int
    """Full TLS handshakes."""
    tls_resumed: int
    """Resumed TLS handshakes."""
    early_accepted: NotRequired[int]
    """Requests that the server took as early data. This key and the next two: absent in runs of earlier versions."""
    early_rejected: NotRequired[int]
    """Requests that were sent as early data, and that it did not take."""
    early_replayed: NotRequired[int]
    """Of these, sent again once the handshake was done."""
    proxy_full_handshakes: NotRequired[int]
    """Full TLS handshakes with the proxy. This key and the next one: absent in runs of earlier versions."""
    proxy_resumed_handshakes: NotRequired[int]
    """Resumed TLS handshakes with the proxy."""
    server_ignored_close: int
    """Connections on which the server ignored the close that was asked for."""
    upgraded: int
    """Connections that changed to the policy's protocol."""
    upgrade_declined: int
    """Connections on which the server declined that."""
    slots: int
    """Places for a connection (a user's, or a pool's) that had at least one."""


class BlockSummary(TypedDict):
    """One block, in the order in which they ran."""

    index: int
    """Number of the block, from 0."""
    round: int
    """Number of the round, from 0."""
    policy: str
    """The policy, or the sweep's cell."""
    started: int
    """Requests that began in the measured window."""
    exchanges: int
    """Exchanges on connections that were opened, warm-up included."""
    connections: BlockConnections
    """Its connections."""
    seconds: float
    """Length of the measured window (s)."""
    throughput_rps: float
    """Answered requests per second."""
    latency_mean_ns: int | None
    """Mean latency (ns)."""
    latency_p50_ns: int | None
    """Median latency (ns)."""
    latency_p99_ns: int | None
    """99th percentile of the latency (ns)."""
    reuse_ratio: NotRequired[float | None]
    """Share of complete requests that were not the first on their connection; null where there is none."""
    handshake_mean_ns: NotRequired[int | None]
    """Mean per request of the handshake (ns), 0 for one on a reused connection."""


class BlockStartsSummary(TypedDict):
    """When several workers began each block: how long after the first of them the last one did."""

    workers: int
    """The most workers that a block had."""
    blocks: int
    """Blocks that several workers ran."""
    spread_p50_ns: int
    """Median over these blocks (ns)."""
    spread_max_ns: int
    """The longest (ns)."""
    uneven_blocks: int
    """Blocks in which it was longer than 50 ms."""
    clock_error_ns: int | None
    """By how much the clock of a worker on another machine may have been misjudged (ns), in either direction: half of
    a message's round trip; 0 where all workers read one clock; null where that is not known."""


class IncompleteRounds(TypedDict):
    """Rounds that no figure counts, as they were cut short or lost a worker; their samples are in `samples.npz`."""

    rounds: list[int]
    """Their numbers, from 0."""
    exchanges: int
    """Requests that were answered at least in part, warm-up included."""
    connections: int
    """Connections that were opened in them."""


class Summary(TypedDict):
    """The whole of `summary.json`."""

    schema: int
    """Version of this layout."""
    run: str
    """Name of the run."""
    plan: PlanRecord
    """What was run."""
    environment: EnvironmentRecord
    """Versions, machine, target."""
    warnings: list[RunWarning]
    """What must be known before the numbers are believed."""
    checks: NotRequired[list[CheckSummary]]
    """What the run found out about itself: its self-checks. Those that do not apply are left out."""
    verdict: str
    """The answer in one sentence."""
    verdict_lines: NotRequired[list[str]]
    """The same in clauses: one for each policy, then what makes them doubtful."""
    policies: dict[str, PolicySummary]
    """Each policy, or each cell of a sweep, by name."""
    comparisons: list[ComparisonSummary]
    """Each pair of policies that compares."""
    precision: NotRequired[PrecisionSummary | None]
    """How precise the ratios are; null where no precision was asked for."""
    sweep: SweepSummary | None
    """A sweep's own part; null for a comparison."""
    blocks: list[BlockSummary]
    """All blocks, for charts over time."""
    block_starts: NotRequired[BlockStartsSummary]
    """When workers began the blocks; absent where each block had one worker."""
    incomplete_rounds: NotRequired[IncompleteRounds]
    """Rounds that are left out of all figures; absent where there are none."""
    latency_slices: NotRequired[list[LatencySlice]]
    """Latencies by time, for percentiles of a part of the run; absent where policies have no percentile curves."""
    gates: NotRequired[list[GateSummary]]
    """What became of each gate (`--fail-if`, `--max-errors`); absent where there was none."""
    pilot: NotRequired[PilotRecord]
    """What the pilot tried and chose; absent where the load was given."""
