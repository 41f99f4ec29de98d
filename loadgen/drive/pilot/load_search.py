"""Which load a pilot tries next, which one it chooses, and why. Pure: knows no clock, no socket and no policy.

The first trial, one user without pauses, shows each policy's unloaded latency. One user can't overload a target, so a
rate well below what one user reached is safe. From there the rate goes up by steps until the rate is enough, or a trial
is objected to twice, as once may be chance; the choice is a half of the best that was good. Every trial has a bounded
number of requests in flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loadgen.drive.pilot.objections import MIN_REQUESTS, objection
from loadgen.model.generator_limits import HONEST_CPU_SHARE
from loadgen.model.pilot_record import PilotFigures, PilotTrial
from loadgen.model.units import NS_PER_MS, NS_PER_S, rate_text

Figures = Mapping[str, PilotFigures]
"""By policy."""

ENOUGH_RPS = 1000.0
"""More would not narrow intervals much: a window of 1.5 s then has 1,500 requests, 15 of them above its p99."""
_MARGIN = 2.0
"""The choice is the best rate that was good, divided by this."""
_FIRST_SHARE = 0.25
"""Of the rate that one user without pauses reached: the first rate that is tried."""
_MAX_IN_FLIGHT = 16
"""Requests that wait for the target at the same time, at most, if its latency stays."""
_RETREAT = 5.0
"""The choice is the first rate, divided by this, where that was not good: less than one user reached without pauses."""
_REACHED = 0.9
"""A rate is the highest to be tried from this share of it on: users and pauses are whole numbers."""
_MIN_STEP, _MAX_STEP = 2.0, 8.0
"""By how much the rate goes up between two trials."""
_SLOW_NS = 20 * NS_PER_MS
"""From this latency on, a quarter of one user's rate shows nothing, and few trials fit into the pilot."""
_SLOW_FIRST_IN_FLIGHT = 4
_REQUESTS_EACH = 20
"""Requests that each user should send in a window."""
_USUAL_USERS = 20
_MAX_USERS = 50
_MIN_CYCLE_NS, _MIN_THINK_NS = 4 * NS_PER_MS, 2 * NS_PER_MS
_MIN_RAMP_NS, _MIN_WINDOW_NS = 40 * NS_PER_MS, 100 * NS_PER_MS
_THINK_STEP_NS = 100_000
"""Think times are whole multiples of it: they are read by people."""


@dataclass(frozen=True, slots=True)
class TrialLoad:
    """A load to try, or to run."""

    users: int
    think_ns: int
    rate_rps: float
    """What it offers at most (requests per second)."""
    ramp_ns: int = 0
    """The first part of a trial's block, in which its users begin."""
    window_ns: int = 0
    """The counted part of a trial's block."""


class LoadSearch:
    """One pilot's search.

    unloaded: the trial of one user without pauses. rests_ns: how long a policy's connections rest at least before they
    are used again, where they do. window_ns: the counted part of the run's own blocks.
    """

    def __init__(self, unloaded: Figures, rests_ns: Mapping[str, int], window_ns: int) -> None:
        self._rests_ns = rests_ns
        self._run_window_ns = window_ns
        self._unloaded = {name: one for name, one in unloaded.items() if one["requests"]}
        self._reference: dict[str, PilotFigures] = {}
        """Of the first load that was tried: paced requests take longer than those at once after another."""
        self._best: TrialLoad | None = None
        self._doubted: TrialLoad | None = None
        """The load of the last trial, where that was objected to: it is tried once more."""
        self._reason = ""
        self._is_over = not self._unloaded

    @property
    def tested(self) -> list[str]:
        """The policies that were answered, the one with the highest latency first."""
        return sorted(self._unloaded, key=lambda name: -_latency_ns(self._unloaded[name]))

    @property
    def extremes(self) -> list[str]:
        """Of many policies those that decide: the highest latency, the most CPU, and the lowest latency."""
        # A policy whose connections rest makes less load than the same without a rest.
        slow_first = [name for name in self.tested if not self._rests_ns.get(name)] or self.tested
        dearest = max(slow_first, key=lambda name: _cpu_ns(self._unloaded[name]))
        return list(dict.fromkeys([slow_first[0], dearest, slow_first[-1]]))

    def cost_ns(self, load: TrialLoad, policies: list[str]) -> int:
        """How long a trial takes, with the requests under way at the end of its blocks."""
        return sum(load.ramp_ns + load.window_ns + 2 * _latency_ns(self._unloaded[name]) for name in policies)

    def next(self, left_ns: int, policies: list[str]) -> TrialLoad | None:
        """The next load to try under these policies, in the time that is left; None where the search is over."""
        if self._is_over:
            return None
        if self._doubted is not None:
            load = self._doubted
        elif self._best is None:
            load = self._load(self._first_rps)
        else:
            load = self._above(self._best, left_ns, policies)
        if self.cost_ns(load, policies) > left_ns:
            if self._doubted is None:  # else the objection is the reason
                self._reason = "that is as far as the pilot's time went; give --users for more"
            self._is_over = True
            return None
        return load

    def add(self, load: TrialLoad, figures: Figures) -> str:
        """Note what a trial did; gives the objection to its load, empty where there is none."""
        expected = {name: load.users * NS_PER_S / self._cycle_ns(name, load) for name in figures}
        found = objection(figures, self._reference, self._unloaded, expected)
        if found:
            self._reason = f"at {rate_text(load.rate_rps)} requests/s {found}"
            self._is_over = load is self._doubted
            self._doubted = load
            return found
        self._doubted = None
        self._reference = self._reference or dict(figures)
        self._best = load
        if load.rate_rps >= _REACHED * self._goal_rps or load.users == _MAX_USERS:
            self._is_over = True
            self._reason = self._why_enough()
        return ""

    def give_up(self, load: TrialLoad) -> None:
        """Note that the time was over before all policies had shown what they do under this load."""
        self._reason = f"at {rate_text(load.rate_rps)} requests/s the pilot's time was over before all was answered"
        self._is_over = True

    def choose(self) -> tuple[TrialLoad, str]:
        """The load of the run, and why."""
        if not self._unloaded:
            return TrialLoad(1, 100 * NS_PER_MS, 10.0), "no policy was answered in the pilot, so the load is small"
        best = self._best
        if best is None:
            return self._load(self._first_rps / _RETREAT), f"one user alone was good; {self._reason}"
        return self._load(best.rate_rps / _MARGIN), f"{rate_text(best.rate_rps)} requests/s was good; {self._reason}"

    # Inside

    @property
    def _single_rps(self) -> float:
        """What one user reaches without pauses, under the policy where that is least."""
        return NS_PER_S / _latency_ns(self._unloaded[self.tested[0]])

    @property
    def _first_rps(self) -> float:
        highest_ns = _latency_ns(self._unloaded[self.tested[0]])
        in_flight = _SLOW_FIRST_IN_FLIGHT if highest_ns >= _SLOW_NS else _FIRST_SHARE
        return min(self._goal_rps, in_flight * self._single_rps)

    @property
    def _goal_rps(self) -> float:
        """The highest rate that is tried."""
        return min(_MARGIN * ENOUGH_RPS, self._generator_rps, _MAX_IN_FLIGHT * self._single_rps)

    @property
    def _generator_rps(self) -> float:
        """Where the generator would use its share of a core, by the CPU time of a request in the first trial."""
        return HONEST_CPU_SHARE * NS_PER_S / max(1, *map(_cpu_ns, self._unloaded.values()))

    def _why_enough(self) -> str:
        goal_rps = self._goal_rps
        if goal_rps == _MARGIN * ENOUGH_RPS:
            return f"more than {ENOUGH_RPS:,.0f}/s would hardly narrow the intervals"
        if goal_rps == self._generator_rps:
            return f"more would take more than {HONEST_CPU_SHARE:.0%} of the generator's core"
        return f"no more than {_MAX_IN_FLIGHT} requests at a time are tried"

    def _above(self, best: TrialLoad, left_ns: int, policies: list[str]) -> TrialLoad:
        """The next step: as large as it must be to come to the goal in the time that is left."""
        goal_rps = self._goal_rps
        trials = max(1, left_ns // max(1, self.cost_ns(best, policies)))
        step = (goal_rps / best.rate_rps) ** (1 / trials)
        return self._load(min(goal_rps, best.rate_rps * min(max(step, _MIN_STEP), _MAX_STEP)))

    def _load(self, rate_rps: float) -> TrialLoad:
        """Users and pauses for this rate, under the policy that is fastest; slower ones make fewer requests."""
        lowest_ns, highest_ns = (_latency_ns(self._unloaded[self.tested[index]]) for index in (-1, 0))
        usual_ns = min(self._run_window_ns / _REQUESTS_EACH, _USUAL_USERS * NS_PER_S / rate_rps)
        cycle_ns = max(usual_ns, _MIN_CYCLE_NS, 1.25 * highest_ns, lowest_ns + _MIN_THINK_NS)
        users = min(max(1, round(rate_rps * cycle_ns / NS_PER_S)), _MAX_USERS)
        cycle_ns = max(users * NS_PER_S / rate_rps, lowest_ns + _MIN_THINK_NS)
        think_ns = max(1, round((cycle_ns - lowest_ns) / _THINK_STEP_NS)) * _THINK_STEP_NS
        return TrialLoad(
            users, think_ns, users * NS_PER_S / (think_ns + lowest_ns),
            max(_MIN_RAMP_NS, round(1.1 * cycle_ns)), max(_MIN_WINDOW_NS, round(1.1 * cycle_ns)),
        )  # fmt: skip

    def _cycle_ns(self, name: str, load: TrialLoad) -> int:
        """From one request of a user to its next, if the latency is the unloaded one."""
        return max(load.think_ns, self._rests_ns.get(name, 0)) + _latency_ns(self._unloaded[name])


def _latency_ns(one: PilotFigures) -> int:
    return max(1, one["latency_mean_ns"] or 0)


def _cpu_ns(one: PilotFigures) -> int:
    """CPU time of a request; 0 where there were so few that it is the block's own."""
    return (one["cpu_ns_per_request"] or 0) if one["requests"] >= MIN_REQUESTS else 0


def trial(load: TrialLoad | None, figures: Figures, found: str) -> PilotTrial:
    """The record of a trial; without a load that of one user without pauses."""
    return {
        "users": load.users if load else 1,
        "think_ns": load.think_ns if load else 0,
        "rate_rps": load.rate_rps if load else None,
        "policies": dict(figures),
        "objection": found,
    }
