"""The tables of a history, one for each group of runs: the headline first, then each policy's mean latency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from loadgen.model.history_record import HistoryGroup, HistoryRecord, HistoryRun
from loadgen.model.units import format_number
from loadgen.show.formatting import ABSENT, estimate, with_interval
from loadgen.show.tables.table import Row, Table

MAX_SHOWN = 4
"""Pairs, and policies, up to which each has a column; the record has all of them."""
_CLEAR_RATIO = 2

RunFigure = tuple[float | None, Sequence[float] | None]
"""A value and its 95 % interval, as far as they are known."""


def history_table(group: HistoryGroup) -> Table:
    """One row a run."""
    pairs = pairs_of(group)[:MAX_SHOWN]
    policies = policies_of(group)[:MAX_SHOWN]
    headings = ("run", "started", *(f"{candidate} / {base}" for base, candidate in pairs), *policies, "changed")
    return Table(headings, [_row(run, pairs, policies) for run in group["runs"]])


def by_latest_run(history: HistoryRecord) -> list[HistoryGroup]:
    """The groups, the one with the latest run last; the record has them by their first run."""
    return sorted(history["groups"], key=lambda group: group["runs"][-1]["started"])


def folder_of(run: HistoryRun) -> str:
    """What a run is called here: its folder, which other commands know it by; --name may have called runs alike."""
    return PurePath(run["path"]).name


def pairs_of(group: HistoryGroup) -> list[tuple[str, str]]:
    """Baseline and candidate of each comparison that some run has."""
    return list(
        dict.fromkeys((one["baseline"], one["candidate"]) for run in group["runs"] for one in run["comparisons"])
    )


def policies_of(group: HistoryGroup) -> list[str]:
    """Each policy that some run has."""
    return list(dict.fromkeys(name for run in group["runs"] for name in run["policies"]))


def ratio_of(run: HistoryRun, pair: tuple[str, str]) -> RunFigure:
    """The headline of a pair, where the run has it."""
    for one in run["comparisons"]:
        if (one["baseline"], one["candidate"]) == pair:
            return one["latency_mean_ratio"], one["latency_mean_ratio_ci95"]
    return None, None


def mean_of(run: HistoryRun, name: str) -> RunFigure:
    """The mean latency (ns) of a policy, where the run has it."""
    policy = run["policies"].get(name)
    return (None, None) if policy is None else (policy["latency_mean_ns"], policy["latency_mean_ci95"])


def _row(run: HistoryRun, pairs: list[tuple[str, str]], policies: list[str]) -> Row:
    return (
        folder_of(run),
        run["started"][:16].replace("T", " "),
        *(_ratio(run, pair) for pair in pairs),
        *(estimate(*mean_of(run, name)) for name in policies),
        ", ".join(fact["what"] for fact in run["changed"]),
    )


def _ratio(run: HistoryRun, pair: tuple[str, str]) -> str:
    ratio, interval = ratio_of(run, pair)
    if ratio is None:
        return ABSENT
    decimals = 3 if ratio < _CLEAR_RATIO else 2
    return with_interval(ratio, interval, lambda number: format_number(number, decimals))
