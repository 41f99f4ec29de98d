"""The table of the generator's own part: its CPU time, its own work, how late its stamps are. Knows no target."""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.policy_summary import GeneratorSummary, StampDelay
from loadgen.model.summary import Summary
from loadgen.model.units import share_text
from loadgen.show.formatting import ABSENT, duration
from loadgen.show.ordering import policies_in_order
from loadgen.show.tables.table import Table, filled_columns

_LAG = "lag p50, p99"
_NOTE = (
    "This is the generator's time and not the target's. Own work is what the generator does inside a request, between "
    "its phases: no phase and no latency includes it, and a closed loop's throughput is lower for it."
)
_DELAYS = (
    " A stamp is late by what passes between the kernel's own stamp and the generator's. That is a part of the phase, "
    "so a phase is too long by this much, which is its error bar. It was measured on {}."
)
_LAG_ALONE = " The lag is how late an event was handled at most."


def generator(summary: Summary) -> Table:
    """One row a policy. A figure that the run does not have has no column."""
    policies = policies_in_order(summary)
    columns = {"policy": [name for name, _ in policies]}
    columns |= {title: [text(one["generator"]) for _, one in policies] for title, text in _COLUMNS.items()}
    if any(_delay(one["generator"], "wait") for _, one in policies):
        del columns[_LAG]
    return filled_columns(columns, ("policy",), {ABSENT})


def generator_note(summary: Summary) -> str:
    """What the columns mean, and on how many requests the delays were measured."""
    waits = [_delay(one["generator"], "wait") for one in summary["policies"].values()]
    sampled = sum(wait["count"] for wait in waits if wait is not None)
    if not sampled:
        return _NOTE + _LAG_ALONE
    requests = sum(one["requests"] for one in summary["policies"].values())
    return _NOTE + _DELAYS.format(f"{sampled:,} of {requests:,} requests")


def _delay(generator: GeneratorSummary, phase: str) -> StampDelay | None:
    delays = generator.get("stamp_delay_ns")  # a summary of an earlier version has none
    if delays is None:
        return None
    return delays["connect"] if phase == "connect" else delays["wait"]


def _delay_text(generator: GeneratorSummary, phase: str) -> str:
    delay = _delay(generator, phase)
    return ABSENT if delay is None else _pair(delay["p50"], delay["p99"])


def _pair(p50_ns: int | None, p99_ns: int | None) -> str:
    return ABSENT if p50_ns is None else f"{duration(p50_ns)}, {duration(p99_ns)}"


_COLUMNS: dict[str, Callable[[GeneratorSummary], str]] = {
    "CPU per request": lambda one: duration(one["cpu_ns_per_request"]),
    "CPU share of a core": lambda one: share_text(one["cpu_share"]),
    "own work, mean": lambda one: duration(one.get("own_mean_ns")),
    "own work p50, p99": lambda one: _pair(one.get("own_p50_ns"), one.get("own_p99_ns")),
    "end of connect late by p50, p99": lambda one: _delay_text(one, "connect"),
    "end of wait late by p50, p99": lambda one: _delay_text(one, "wait"),
    _LAG: lambda one: _pair(one["lag_p50_ns"], one["lag_p99_ns"]),
}
