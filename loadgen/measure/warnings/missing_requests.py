"""Requests that were asked for by number, and that the time of their blocks was too short for. Judges no latency."""

from __future__ import annotations

from collections import Counter

from loadgen.measure.data.rows import Samples
from loadgen.model.load import Load
from loadgen.model.run_record import RunWarning
from loadgen.model.units import format_duration
from loadgen.model.warning_codes import WarningCode


def missing_requests(samples: Samples, load: Load) -> list[RunWarning]:
    """At most one warning. Of blocks that were cut off others tell."""
    missing: Counter[str] = Counter()
    for block in samples.blocks:
        asked = load.requests_of(block["round"])
        if asked is not None and block.get("whole"):
            missing[block["policy"]] += asked - block["started"] - block.get("unstarted", 0)
    found = {name: number for name, number in missing.items() if number > 0}
    if not found:
        return []
    each = ", ".join(f"{number:,} of {name}" for name, number in found.items())
    message = (
        f"not all {load.requests:,} requests of each policy were sent within the {format_duration(load.block_ns)} that "
        f"a block may take: {each} are missing"
    )
    return [{"code": WarningCode.REQUESTS_MISSING.value, "message": message}]
