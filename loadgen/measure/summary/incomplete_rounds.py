"""Rounds that no figure counts: which they are, and what was sent in them. Decides about none."""

from __future__ import annotations

from loadgen.measure.data.block_counts import carried_by
from loadgen.measure.data.rows import Samples
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import IncompleteRounds
from loadgen.model.units import count
from loadgen.model.warning_codes import WarningCode

_MAX_NAMED = 5


def incomplete_rounds(samples: Samples) -> IncompleteRounds:
    """What is left out, so that the counts of the target can be compared with all that was sent."""
    return {
        "rounds": _numbers(samples),
        "exchanges": carried_by(samples.incomplete),
        "connections": sum(block["connections"]["opened"] for block in samples.incomplete),
    }


def incomplete_warnings(samples: Samples) -> list[RunWarning]:
    """At most one warning."""
    numbers = _numbers(samples)
    if not numbers:
        return []
    named = ", ".join(str(number + 1) for number in numbers[:_MAX_NAMED])
    more = f" and {len(numbers) - _MAX_NAMED} more" if len(numbers) > _MAX_NAMED else ""
    rounds = f"round {named} is" if len(numbers) == 1 else f"rounds {named}{more} are"
    exchanges = count(incomplete_rounds(samples)["exchanges"], "request")
    message = f"{rounds} not whole and in no figure, with {exchanges}: cut short by the end, or a worker was lost in it"
    return [{"code": WarningCode.ROUNDS_INCOMPLETE.value, "message": message}]


def _numbers(samples: Samples) -> list[int]:
    return sorted({block["round"] for block in samples.incomplete})
