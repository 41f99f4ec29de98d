"""The table of a diff: each statistic in the old runs and in the new one, and what runs differ in. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from loadgen.measure.diff.diff_verdict import other_changes
from loadgen.model.diff_record import Change, DiffRecord, PolicyChanges
from loadgen.model.units import format_duration, format_number, share_text
from loadgen.show.formatting import ABSENT, estimate, with_interval
from loadgen.show.tables.table import Row, Table

_Write = Callable[[float], str]
_WriteChange = Callable[[float, Sequence[float] | None], str]
_CHANGES = ("policy", "statistic", "old", "new", "change", "ratio", "certain")
_ERRORS, _RATIO = "error ratio", "ratio of means"
_RUNS = ("", "run", "folder", "started")
_UNLIKE = ("what", "old", "new", "matters")
_MAX_DECIMALS = 6
MAX_WHOLE_POLICIES = 4
"""Policies up to which all statistics are shown; of more the mean latency, and what changed."""


def run_changes(diff: DiffRecord) -> Table:
    """One row a statistic of a policy, and one a comparison."""
    is_short = len(diff["policies"]) > MAX_WHOLE_POLICIES
    rows = [
        _row(name, statistic, change)
        for name, policy in diff["policies"].items()
        for statistic, change in _changes(policy)
        if not is_short or statistic == "mean" or change["is_certain"]
    ]
    rows += [
        _row(f"{one['candidate']} / {one['baseline']}", _RATIO, one["latency_mean_ratio"])
        for one in diff["comparisons"]
    ]
    return Table(_CHANGES, rows)


def old_runs(diff: DiffRecord) -> str:
    """The folders of the runs that the new one is compared with."""
    return ", ".join(one["path"] for one in diff["old"])


def unlike_facts(diff: DiffRecord) -> Table:
    """In what plans and environments differ."""
    return Table(
        _UNLIKE,
        [(one["what"], one["old"], one["new"], "yes" if one["is_refused"] else "no") for one in diff["unlike"]],
    )


def compared_runs(diff: DiffRecord) -> Table:
    """Which runs they are."""
    rows = [("before", one["run"], one["path"], one["started"]) for one in diff["old"]]
    new = diff["new"]
    return Table(_RUNS, [*rows, ("now", new["run"], new["path"], new["started"])])


def _changes(policy: PolicyChanges) -> Iterator[tuple[str, Change]]:
    yield "mean", policy["latency_ns"]["mean"]
    for statistic, change in other_changes(policy).items():
        if statistic != _ERRORS or change["old"] or change["new"]:
            yield statistic, change


def _row(name: str, statistic: str, change: Change) -> Row:
    """The row of one statistic."""
    write, write_change = _WRITERS.get(statistic, _OF_DURATION)
    return (
        name,
        statistic,
        _value(change["old"], write),
        _value(change["new"], write),
        _delta(change, write_change),
        _ratio(change),
        "yes" if change["is_certain"] else "no",
    )


def _value(value: float | None, write: _Write) -> str:
    return ABSENT if value is None else write(value)


def _delta(change: Change, write: _WriteChange) -> str:
    if change["delta"] is None:
        return ABSENT
    text = write(change["delta"], change["delta_ci95"])
    return text if text.startswith(("+", "-")) else f"+{text}"


def _ratio(change: Change) -> str:
    if change["ratio"] is None or change["ratio_ci95"] is None:
        return ABSENT
    return with_interval(change["ratio"], change["ratio_ci95"], _factor)


def _factor(value: float) -> str:
    return format_number(value, 3)


def _rate(value: float) -> str:
    return f"{format_number(value, 1)}/s"


def _share(value: float) -> str:
    return share_text(value, 2)


def _points(delta: float, interval: Sequence[float] | None) -> str:
    """The difference of two shares, in percentage points, with as many decimals as show that it is not 0."""
    decimals = 2
    numbers = [100 * one for one in (delta, *(interval or ()))]
    while decimals < _MAX_DECIMALS and any(one and not float(f"{one:.{decimals}f}") for one in numbers):
        decimals += 1
    return with_interval(numbers[0], numbers[1:] or None, lambda one: f"{one:.{decimals}f}") + " points"


# How values of a statistic are written, and changes of it; as durations unless it is here.
_OF_DURATION: tuple[_Write, _WriteChange] = format_duration, partial(estimate, sign=True)
_WRITERS: dict[str, tuple[_Write, _WriteChange]] = {
    "throughput": (_rate, partial(with_interval, write=_rate)),
    "reuse ratio": (_share, _points),
    _ERRORS: (_share, _points),
    _RATIO: (_factor, partial(with_interval, write=_factor)),
}
