"""A warning about differences that are smaller than this machine can resolve. Computes no floor."""

from __future__ import annotations

from collections.abc import Iterable

from loadgen.measure.stats.floor import WithinFloor
from loadgen.model.run_record import RunWarning
from loadgen.model.units import format_duration
from loadgen.model.warning_codes import WarningCode


def floor_warnings(found: Iterable[WithinFloor]) -> list[RunWarning]:
    """One for each such difference."""
    return [
        {
            "code": WarningCode.WITHIN_FLOOR.value,
            "message": (
                f"{one.comparison['candidate']} against {one.comparison['baseline']}: the difference of "
                f"{format_duration(abs(one.comparison['latency_mean_delta_ns']))} is within the floor of this machine, "
                f"{format_duration(one.floor_ns)}, so it may be the generator's"
            ),
        }
        for one in found
    ]
