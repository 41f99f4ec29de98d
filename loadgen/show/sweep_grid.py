"""The cells of a sweep over two axes as a grid: its rows and columns, and the values in its squares. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from loadgen.model.summary import Summary
from loadgen.model.sweep_summary import SweepSummary
from loadgen.model.units import parse_duration_ns, plain_number

Axis = Literal["users", "rate", "recycle", "gap", "size", "tls_version", "groups"]
AxisValue = str | float | None
Grid = dict[tuple[AxisValue, AxisValue], float | None]
"""The number of each square, by its row's and its column's value."""

TITLES: dict[Axis, str] = {
    "users": "users", "rate": "arrivals per second", "recycle": "K, requests per connection", "gap": "gap",
    "size": "bytes of the body", "tls_version": "version of TLS", "groups": "groups of the key exchange",
}  # fmt: skip
_AS_GIVEN = ("tls_version", "groups")  # axes whose values are no numbers


@dataclass(frozen=True, slots=True)
class SweepGrid:
    """Two axes that vary; each policy has a value in each square."""

    down: Axis
    across: Axis
    rows: list[AxisValue]
    columns: list[AxisValue]
    means: dict[str | None, Grid]
    """Mean latency (ns) by policy; the only one is None where the sweep is over K alone."""

    def against_baseline(self) -> dict[tuple[str | None, str | None], Grid]:
        """By candidate and baseline: by how many percent the candidate's mean is above the baseline's."""
        bases = list(self.means)
        baseline = "persistent" if "persistent" in bases else bases[0]
        return {
            (base, baseline): _percent(grid, self.means[baseline])
            for base, grid in self.means.items()
            if base != baseline
        }


def sweep_grid(summary: Summary, max_policies: int) -> SweepGrid | None:
    """None unless two axes vary, and there are at most `max_policies` policies."""
    sweep = summary["sweep"]
    if sweep is None:
        return None
    # Keys of a TypedDict are plain strings to the type checker.
    varied = cast(
        "list[Axis]", [axis for axis, values in sweep["axes"].items() if len(cast("list[AxisValue]", values)) > 1]
    )
    bases = list(dict.fromkeys(cell["base"] for cell in sweep["cells"].values()))
    if len(varied) != 2 or len(bases) > max_policies:
        return None
    rows, columns = (_ordered(axis, cast("list[AxisValue]", sweep["axes"][axis])) for axis in varied)
    means = {base: _means(summary, sweep, base, *varied) for base in bases}
    return SweepGrid(varied[0], varied[1], rows, columns, means)


def axis_text(axis: Axis, value: AxisValue) -> str:
    """An axis's value as people read it."""
    if value is None or isinstance(value, str):
        return "∞" if value == "inf" else f"{value}"
    return f"{value:,}" if axis == "users" else plain_number(value)


def _ordered(axis: Axis, values: list[AxisValue]) -> list[AxisValue]:
    return values if axis in _AS_GIVEN else sorted(values, key=_place)


def _place(value: AxisValue) -> float:
    """An axis's value to sort by: K may be `inf`, a gap is written as a duration."""
    if not isinstance(value, str):
        return float(value or 0)
    return float(value) if value == "inf" or value.isdigit() else float(parse_duration_ns(value))


def _means(summary: Summary, sweep: SweepSummary, base: str | None, down: Axis, across: Axis) -> Grid:
    policies = summary["policies"]
    return {
        (cell[down], cell[across]): policies[name]["latency_ns"]["mean"]
        for name, cell in sweep["cells"].items()
        if cell["base"] == base
    }


def _percent(candidate: Grid, baseline: Grid) -> Grid:
    """By how much the candidate's value is above the baseline's."""
    return {
        square: None if value is None or not (base := baseline.get(square)) else 100 * (value / base - 1)
        for square, value in candidate.items()
    }
