"""The runs of a calibration: real runs of the engine against the null target, and what is taken from each.

Prints nothing and judges nothing; `calibrate.py` says in which order they come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from loadgen.cli.experiment import Experiment
from loadgen.cli.packet_capture import PacketCapture
from loadgen.cli.signals import Interruption
from loadgen.measure.data.environment import environment
from loadgen.measure.data.packet_errors import PacketErrors, packet_errors
from loadgen.measure.data.packet_times import packet_times
from loadgen.measure.data.pcap import read_pcap
from loadgen.measure.data.rows import Samples
from loadgen.measure.data.store import RunStore
from loadgen.model.calibration import PolicyFloor
from loadgen.model.cell import Axes
from loadgen.model.exceptions import TargetError
from loadgen.model.generator_limits import HONEST_CPU_SHARE
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import Summary
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_US
from loadgen.target.process import EmbeddedTarget

_SEED = 1
# A generator that keeps a rate honestly has half of its core left, begins requests when they are due, and stamps events
# when they happen; a larger delay is another request's work.
_MAX_LATE_NS = 500 * NS_PER_US
_MAX_STAMP_DELAY_NS = 100 * NS_PER_US
# Rates that are tried, as multiples of what CPU time per request of one user says for half a core.
_STEPS = (0.4, 0.7, 1.0, 1.4, 2.0)
_MIN_RATE_RPS, _MAX_RATE_RPS = 50, 100_000
_PACKET_THINK_NS = NS_PER_MS


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """One run, read back."""

    summary: Summary
    samples: Samples


class CalibrationTarget:
    """The null target in a process of its own, and runs against it in folders below `folder`."""

    def __init__(self, folder: Path, *, tls: bool) -> None:
        self._process = EmbeddedTarget(tls, folder, ("--null",))
        self._folder = folder
        self._runs = 0
        self.target = parse_target(self._process.url)
        self.scheme = "https" if tls else "http"

    def close(self) -> None:
        """End it; a second call changes nothing."""
        self._process.stop()

    def run(self, policies: str, load: Load, axes: Axes | None = None) -> CalibrationRun:
        """Run it. Raises PlanError, TargetError, and Interruption where a signal ended it."""
        ca_file = self._process.ca_file
        plan = Plan(
            self.target,
            parse_policies(policies),
            load,
            cacert=None if ca_file is None else str(ca_file),
            seed=_SEED,
            axes=axes or Axes(),
        )
        self._runs += 1
        store = RunStore.create(self._folder / f"{self.scheme}-{self._runs}")
        facts = {"name": "calibration", "plan": plan.to_json(secrets=False), "environment": environment(), "notes": []}
        experiment = Experiment(plan, store, facts, is_new=True, quiet=True, draws=False)  # type: ignore[arg-type] # a literal of that form
        try:
            finished = experiment.run()
        except Interruption as error:
            error.saved = None  # the folder goes with the calibration
            raise
        if finished.end != "done":
            raise Interruption
        if not any(one["requests"] for one in finished.summary["policies"].values()):
            raise TargetError("the null target answered no request; run loadgen calibrate again on a less busy machine")
        samples = store.load_samples(tuple(cell.name for cell in plan.cells))
        store.release()
        return CalibrationRun(finished.summary, samples)

    def capture(self, policies: str, load: Load) -> PacketErrors:
        """A run with a capture of its packets. Raises RuntimeError too, where tcpdump fails."""
        path = self._folder / f"{self.scheme}.pcap"
        with PacketCapture(self.target.port, path) as capture:
            run = self.run(policies, replace(load, think_ns=_PACKET_THINK_NS))
        found = packet_times(read_pcap(path.read_bytes()), self.target.port)
        return packet_errors(run.samples, found, capture.offset_ns)


def policy_floor(one: PolicySummary) -> PolicyFloor:
    """What one user's requests cost; no rate has been tried yet."""
    return {
        "requests": one["requests"],
        "cpu_ns_per_request": one["generator"]["cpu_ns_per_request"],
        "latency_p50_ns": one["latency_ns"]["p50"],
        "max_rate_rps": None,
        "rates_tried_rps": [],
    }


def rates_to_try(cpu_ns_per_request: int) -> tuple[float, ...]:
    """Rates of arrivals around the one that takes half a core, in whole numbers, lowest first."""
    half_core = HONEST_CPU_SHARE * 1e9 / cpu_ns_per_request
    rates = (min(_MAX_RATE_RPS, max(_MIN_RATE_RPS, round(half_core * step))) for step in _STEPS)
    return tuple(float(rate) for rate in dict.fromkeys(rates))


def highest_honest_rate(summary: Summary) -> float | None:
    """Of a sweep over rates the highest that the generator kept honestly; None where it kept none."""
    kept = [one["arrivals"]["rate_rps"] for one in summary["policies"].values() if one["arrivals"] and _is_honest(one)]
    return max(kept, default=None)


def _is_honest(one: PolicySummary) -> bool:
    generator, arrivals = one["generator"], one["arrivals"]
    delays = generator.get("stamp_delay_ns") or {"wait": None}
    wait = delays["wait"]
    if arrivals is None or arrivals["unstarted"] or one["errors"] or not one["requests"]:
        return False
    is_on_time = arrivals["late_p50_ns"] is not None and arrivals["late_p50_ns"] <= _MAX_LATE_NS
    stamps_in_time = wait is None or wait["p50"] <= _MAX_STAMP_DELAY_NS
    return generator["cpu_share"] <= HONEST_CPU_SHARE and is_on_time and stamps_in_time
