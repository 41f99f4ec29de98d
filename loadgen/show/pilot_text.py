"""What a pilot chose, in words, for the shell and the report alike. Decides nothing."""

from __future__ import annotations

from loadgen.model.pilot_record import PilotRecord
from loadgen.model.units import count, format_duration, rate_text


def pilot_sentence(pilot: PilotRecord) -> str:
    """`pilot: 20 users, each with a pause of 19.9 ms …: at most 1,002 requests/s, because …`."""
    return f"pilot: {chosen_load(pilot)}, because {pilot['reason']}"


def chosen_load(pilot: PilotRecord) -> str:
    """The load in words."""
    users, pause = count(pilot["users"], "user"), format_duration(pilot["think_ns"])
    each = "each with" if pilot["users"] > 1 else "with"
    return f"{users}, {each} a pause of {pause} after a response: at most {rate_text(pilot['rate_rps'])} requests/s"
