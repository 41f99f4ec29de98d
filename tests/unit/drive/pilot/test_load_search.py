"""Which load a pilot chooses, with targets and generators of known limits in place of real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from loadgen.drive.pilot.load_search import ENOUGH_RPS, LoadSearch, TrialLoad, trial
from loadgen.model.pilot_record import PilotFigures

MS = 1_000_000
PILOT_NS = 2_200 * MS
WINDOW_NS = 1_500 * MS


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A policy at a target: what one request takes, and the rate from which something is full."""

    latency_ns: int
    capacity_rps: float = 1e9
    """Of the target: the latency doubles at half of it, and so on."""
    cpu_ns: int = 50_000
    """Of the generator, for a request."""
    fails_from_rps: float = 1e9

    def at(self, rate_rps: float, window_ns: int) -> PilotFigures:
        load = min(0.99, rate_rps / self.capacity_rps)
        latency_ns = round(self.latency_ns * (1 + load**2 / (1 - load)))
        count = max(1, int(rate_rps * window_ns / 1e9))
        errors = count // 2 if rate_rps > self.fails_from_rps else 0
        return {
            "requests": count - errors, "errors": errors, "rate_rps": (count - errors) * 1e9 / window_ns,
            "latency_p50_ns": latency_ns, "latency_mean_ns": latency_ns, "lag_p50_ns": 5_000,
            "cpu_share": rate_rps * self.cpu_ns / 1e9, "cpu_ns_per_request": self.cpu_ns,
        }  # fmt: skip


@dataclass(slots=True)
class Found:
    """How a search went."""

    loads: list[TrialLoad]
    objections: list[str]
    load: TrialLoad
    reason: str
    seconds: float


def search(policies: dict[str, MadeUp], change: Callable[[PilotFigures], PilotFigures] = lambda one: one) -> Found:
    unloaded = {name: one.at(0.5e9 / one.latency_ns, 80 * MS) for name, one in policies.items()}
    left_ns = PILOT_NS - sum(max(80 * MS, one.latency_ns) for one in policies.values())
    found = LoadSearch(unloaded, {}, WINDOW_NS)
    loads, objections = [], []
    while (load := found.next(left_ns, list(policies))) is not None:
        loads.append(load)
        figures = {}
        for name, one in policies.items():
            cycle_ns = load.think_ns + one.latency_ns
            figures[name] = change(one.at(load.users * 1e9 / cycle_ns, load.window_ns))
        left_ns -= found.cost_ns(load, list(policies))
        objections.append(found.add(load, figures))
        assert len(loads) < 20, "it must come to an end"
    chosen, reason = found.choose()
    return Found(loads, objections, chosen, reason, (PILOT_NS - left_ns) / 1e9)


def test_a_fast_target_gets_a_rate_that_is_enough_and_no_more() -> None:
    found = search({"persistent": MadeUp(60_000), "close": MadeUp(150_000, cpu_ns=120_000)})
    assert found.load.rate_rps == pytest.approx(ENOUGH_RPS, rel=0.05)
    assert found.load.users == 20
    assert found.objections == [""] * len(found.loads)
    assert "hardly narrow" in found.reason
    assert found.seconds < 1.5


def test_a_generator_s_cpu_is_a_limit_under_the_dearest_policy() -> None:
    found = search({"persistent": MadeUp(60_000), "close": MadeUp(900_000, cpu_ns=800_000)})
    assert found.load.rate_rps * 800_000 / 1e9 <= 0.5
    assert all(load.rate_rps * 800_000 / 1e9 <= 0.55 for load in found.loads)
    assert "50% of the generator's core" in found.reason


def test_a_target_of_one_thread_is_never_driven_to_its_capacity() -> None:
    single = MadeUp(2 * MS, capacity_rps=500)  # it works for 2 ms on each request
    found = search({"persistent": single, "close": single})
    assert 50 < found.load.rate_rps <= 250
    assert found.objections[-1].startswith("persistent: the median latency rose from 2.")
    too_high = {load.rate_rps for load, one in zip(found.loads, found.objections, strict=True) if one}
    assert len(too_high) == 1, "one step too high, at most"


def test_a_slow_target_with_room_gets_several_users() -> None:
    slow = MadeUp(100 * MS)
    found = search({"persistent": slow, "close": MadeUp(200 * MS)})
    assert found.load.users >= 2
    assert all(load.rate_rps * 0.1 < 32 for load in found.loads), "requests in flight"
    assert found.seconds < PILOT_NS / 1e9


def test_what_the_time_does_not_show_is_said() -> None:
    found = search({"persistent": MadeUp(900 * MS), "close": MadeUp(900 * MS)})
    assert found.loads == []
    assert found.load.users == 1
    assert found.load.think_ns < 900 * MS
    assert found.reason == "one user alone was good; that is as far as the pilot's time went; give --users for more"


def test_a_target_that_fails_under_load_gets_less() -> None:
    fragile = MadeUp(1 * MS, fails_from_rps=400)
    found = search({"persistent": fragile})
    assert found.load.rate_rps < 400
    assert found.objections[-1] == "persistent: 50% of the requests failed"


def test_a_first_rate_that_is_not_good_is_left_far_below() -> None:
    def slow_down(one: PilotFigures) -> PilotFigures:
        return one | {"latency_p50_ns": 50 * MS}  # type: ignore[return-value] # a TypedDict's union

    found = search({"persistent": MadeUp(1 * MS)}, slow_down)
    assert found.load.rate_rps <= found.loads[0].rate_rps / 4
    assert found.reason.startswith("one user alone was good; at 250 requests/s persistent: the median latency rose")


def test_what_happened_once_may_be_chance() -> None:
    trials = iter(range(20))

    def stumble(one: PilotFigures) -> PilotFigures:
        return one | {"latency_p50_ns": 50 * MS} if next(trials) == 1 else one  # type: ignore[return-value] # as above

    found = search({"persistent": MadeUp(2 * MS)}, stumble)
    assert [bool(one) for one in found.objections[:3]] == [False, True, False]
    assert found.loads[1] == found.loads[2]
    assert found.load.rate_rps > found.loads[1].rate_rps / 2


def test_a_trial_that_the_time_cut_off_is_a_reason() -> None:
    found = LoadSearch({"close": MadeUp(1 * MS).at(500, 80 * MS)}, {}, WINDOW_NS)
    load = found.next(PILOT_NS, ["close"])
    assert load is not None
    found.give_up(load)
    assert found.next(PILOT_NS, ["close"]) is None
    chosen, reason = found.choose()
    assert chosen.rate_rps < load.rate_rps
    assert reason == ("one user alone was good; at 250 requests/s the pilot's time was over before all was answered")


def test_without_any_answer_the_load_is_small() -> None:
    none = MadeUp(1 * MS).at(1, MS) | {"requests": 0, "latency_mean_ns": None}
    found = LoadSearch({"gap:9s": none}, {}, WINDOW_NS)  # type: ignore[dict-item] # a TypedDict's union
    assert found.next(PILOT_NS, []) is None
    load, reason = found.choose()
    assert (load.users, load.rate_rps) == (1, 10.0)
    assert "no policy was answered" in reason


def test_of_many_policies_those_that_decide_are_tried() -> None:
    policies = {f"recycle:{number}": MadeUp(60_000 + number, cpu_ns=40_000 + number) for number in range(9)}
    policies |= {"close": MadeUp(150_000), "h2": MadeUp(90_000, cpu_ns=200_000), "gap:1s": MadeUp(900_000)}
    unloaded = {name: one.at(2_000, 80 * MS) for name, one in policies.items()}
    assert LoadSearch(unloaded, {"gap:1s": 1_000 * MS}, WINDOW_NS).extremes == ["close", "h2", "recycle:0"]


def test_a_trial_is_recorded_with_its_objection() -> None:
    figures = {"close": MadeUp(MS).at(10, MS)}
    assert trial(None, figures, "")["rate_rps"] is None
    assert trial(TrialLoad(4, 5, 6.0), figures, "x") == {
        "users": 4, "think_ns": 5, "rate_rps": 6.0, "policies": figures, "objection": "x",
    }  # fmt: skip
