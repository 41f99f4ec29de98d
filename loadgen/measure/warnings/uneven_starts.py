"""Workers that did not begin a block together. Judges no latency."""

from __future__ import annotations

from loadgen.measure.stats.block_starts import EVEN_NS
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import BlockStartsSummary
from loadgen.model.units import count, format_duration
from loadgen.model.warning_codes import WarningCode


def start_warnings(starts: BlockStartsSummary | None) -> list[RunWarning]:
    """At most one warning."""
    if starts is None or not starts["uneven_blocks"]:
        return []
    message = (
        f"in {starts['uneven_blocks']:,} of {count(starts['blocks'], 'block')} the last of up to {starts['workers']:,} "
        f"workers began more than {format_duration(EVEN_NS)} after the first, at most "
        f"{format_duration(starts['spread_max_ns'])}: until then a part of the load was missing"
    )
    return [{"code": WarningCode.UNEVEN_STARTS.value, "message": message}]
