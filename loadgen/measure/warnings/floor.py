"""A warning about differences that are smaller than this machine can resolve. Computes no floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loadgen.measure.stats.floor import WithinFloor
from loadgen.model.units import format_duration
from loadgen.model.warning_codes import WarningCode


def floor_warnings(found: Iterable[WithinFloor]) -> Iterator[tuple[WarningCode, str]]:
    """One for each such difference."""
    for one in found:
        comparison = one.comparison
        yield (
            WarningCode.WITHIN_FLOOR,
            f"{comparison['candidate']} against {comparison['baseline']}: the difference of "
            f"{format_duration(abs(comparison['latency_mean_delta_ns']))} is within the floor of this machine, "
            f"{format_duration(one.floor_ns)}, so it may be the generator's",
        )
